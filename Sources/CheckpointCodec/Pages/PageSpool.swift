package import CheckpointImage
package import Storage
/// Pages in a temporary file, each at a place of its own.
package final class PageSpool: Sendable {
  private let file: TemporaryFile

  /// An empty spool.
  package init(cancellation: Cancellation = Cancellation()) throws(CheckpointError) {
    file = try TemporaryFile(cancellation: cancellation)
  }

  /// Writes a page of a buffer.
  package func write(_ buffer: PageBuffer, _ slot: Int, at place: UInt64) throws(CheckpointError) {
    unsafe try file.write(
      UnsafeRawBufferPointer(buffer.mutableBytes(slot..<slot + 1)),
      at: place << UInt64(Limits.pageShift))
  }

  /// Reads a page that was written into a buffer.
  package func read(_ place: UInt64, to slot: Int, of buffer: PageBuffer) throws(CheckpointError) {
    unsafe try file.read(
      into: buffer.mutableBytes(slot..<slot + 1), at: place << UInt64(Limits.pageShift))
  }
}
