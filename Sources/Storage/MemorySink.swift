package import CheckpointImage

/// Collects what is written in memory.
package final class MemorySink: ByteSink {
  package let name: String
  package var position: UInt64 { UInt64(unfinished.count) }
  /// All that was written, once it was committed.
  package private(set) var bytes: [UInt8]?
  private var unfinished: [UInt8] = []

  /// A sink called `name` in messages.
  package init(name: String) { self.name = name }

  package func write(_ bytes: RawSpan) throws(CheckpointError) {
    unsafe bytes.withUnsafeBytes { unsafe unfinished.append(contentsOf: $0) }
  }

  package func commit() throws(CheckpointError) { bytes = unfinished }

  package func reopened() throws(CheckpointError) -> any RangeReader {
    BytesInMemory(unfinished, name: name)
  }
}
