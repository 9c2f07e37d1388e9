internal import CheckpointCodec
package import CheckpointImage
package import Storage

/// Encodes an image from the JSON of its segments; what is not given is derived from the rest.
package struct ImageEncoder {
  private let output: any ByteSink
  private var sealer = Sealer()

  /// The number of segments so far.
  package var segments: UInt64 { sealer.count }
  /// The number of bytes so far.
  package var bytes: UInt64 { sealer.offset }

  /// Writes to `output`, without committing it.
  package init(to output: any ByteSink) { self.output = output }

  /// Encodes and writes a segment.
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
