public import CheckpointImage

/// A sink that collects everything in memory.
public final class MemorySink: ByteSink {
  /// The name used in messages.
  public let name: String
  /// Bytes written so far.
  public var position: UInt64 { UInt64(unfinished.count) }
  /// Everything that was written; nil before `commit`.
  public private(set) var bytes: [UInt8]?
  private var unfinished: [UInt8] = []

  /// An empty sink; `name` is used in messages.
  public init(name: String) { self.name = name }

  /// Appends bytes.
  public func write(_ bytes: RawSpan) throws(CheckpointError) {
    // SAFETY: the bytes are copied before the closure returns.
    unsafe bytes.withUnsafeBytes { unsafe unfinished.append(contentsOf: $0) }
  }

  /// Makes the bytes available.
  public func commit() throws(CheckpointError) { bytes = unfinished }

  /// What was written so far.
  public func reopened() throws(CheckpointError) -> any RangeReader {
    BytesInMemory(unfinished, name: name)
  }
}
