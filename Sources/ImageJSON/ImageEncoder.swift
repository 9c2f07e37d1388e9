internal import CheckpointCodec
package import CheckpointImage
package import Storage
/// Writes an image from the JSON of its segments: what is not given is made as it follows from the rest.
package struct ImageEncoder {
  private let output: OutputFile
  private var seal = Seal()

  /// Segments so far.
  package var segments: UInt64 { seal.count }
  /// Bytes so far.
  package var bytes: UInt64 { seal.offset }

  /// Writes to `output`, which is not committed.
  package init(to output: OutputFile) { self.output = output }

  /// Writes a segment.
  package mutating func add(_ form: SegmentForm) throws(CheckpointError) {
    try Interruption.check()
    if let bytes = form.bytes?.bytes {
      seal.skip(bytes.count)
      return try output.write(bytes)
    }
    let (frame, body, bytes) = try form.segment(seal)
    seal.add(frame, body, length: bytes.count)
    try output.write(bytes)
  }
}
