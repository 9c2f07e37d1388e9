public import CheckpointImage

/// Collects what is written in memory.
public final class MemorySink: ByteSink {
  /// The name used in messages.
  public let name: String
  /// Bytes written so far.
  public var position: UInt64 { UInt64(unfinished.count) }
  /// All that was written, once it was committed.
  public private(set) var bytes: [UInt8]?
  private var unfinished: [UInt8] = []

  /// A sink called `name` in messages.
  public init(name: String) { self.name = name }

  /// Appends bytes.
  public func write(_ bytes: RawSpan) throws(CheckpointError) {
    unsafe bytes.withUnsafeBytes { unsafe unfinished.append(contentsOf: $0) }
  }

  /// Lets the bytes appear.
  public func commit() throws(CheckpointError) { bytes = unfinished }

  /// What was written so far.
  public func reopened() throws(CheckpointError) -> any RangeReader {
    BytesInMemory(unfinished, name: name)
  }
}
