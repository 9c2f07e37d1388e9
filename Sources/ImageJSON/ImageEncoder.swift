internal import CheckpointCodec
package import CheckpointImage
package import Storage
/// Writes an image from the JSON of its segments: what is not given is made as it follows from the rest.
package struct ImageEncoder {
  private let output: any ByteSink
  private var sealer = Sealer()

  /// Segments so far.
  package var segments: UInt64 { sealer.count }
  /// Bytes so far.
  package var bytes: UInt64 { sealer.offset }

  /// Writes to `output`, which is not committed.
  package init(to output: any ByteSink) { self.output = output }

  /// Writes a segment.
  package mutating func add(_ form: SegmentForm) throws(CheckpointError) {
    if let bytes = form.bytes?.bytes {
      sealer.skip(bytes.count)
      return try output.write(bytes)
    }
    let (frame, body, bytes) = try form.segment(sealer)
    sealer.add(frame, body, length: bytes.count)
    try output.write(bytes)
  }
}
