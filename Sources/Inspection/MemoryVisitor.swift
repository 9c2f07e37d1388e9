package import CheckpointImage

/// Receives a range of memory in ascending order.
package protocol MemoryVisitor: AnyObject {
  /// Takes pages with known contents, contiguous from `address` on.
  func visit(_ bytes: RawSpan, at address: UInt64) throws(CheckpointError)
  /// Takes pages with unknown contents, all in the same state.
  func visit(_ gap: StateExtent) throws(CheckpointError)
}
