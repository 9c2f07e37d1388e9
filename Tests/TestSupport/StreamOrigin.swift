package import CheckpointImage
package import Storage

/// Bytes that can be read only once, as those of a pipe; at their end comes an error, if one is given.
package final class StreamOrigin: ByteOrigin {
  package let name = "stream"
  package let modified: (seconds: Int, nanoseconds: Int)? = nil
  package let length: UInt64? = nil
  package let containers: [String] = []
  package let cancellation = Cancellation()
  package let fractionDone: Double? = nil
  private var bytes: ArraySlice<UInt8>
  private let failure: CheckpointError?

  /// A stream of these bytes.
  package init(_ bytes: [UInt8], failure: CheckpointError? = nil) {
    self.bytes = bytes[...]
    self.failure = failure
  }

  package func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    if bytes.isEmpty, let failure { throw failure }
    let count = min(target.count, bytes.count, 100_000)
    // SAFETY: as many bytes as both have.
    unsafe target.copyBytes(from: bytes.prefix(count))
    bytes.removeFirst(count)
    return count
  }

  package func seek(to offset: UInt64) throws(CheckpointError) {
    throw CheckpointError(.refused, "cannot seek in a stream", file: name)
  }
}
