public import CheckpointCodec
public import CheckpointImage

/// Writes an image from the JSON of its segments: what is not given is made as it follows from the rest.
public struct ImageEncoder {
  private let output: OutputFile
  private var seal = Seal()

  /// Segments so far.
  public var segments: UInt64 { seal.count }
  /// Bytes so far.
  public var bytes: UInt64 { seal.offset }

  /// Writes to `output`, which is not committed.
  public init(to output: OutputFile) { self.output = output }

  /// Writes a segment.
  public mutating func add(_ form: SegmentForm) throws(CheckpointError) {
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
