package import CheckpointImage

/// Sees a range of memory from its first page to its last.
package protocol MemoryVisitor: AnyObject {
  /// Pages whose contents are known, one behind the other from `address` on.
  func visit(_ bytes: RawSpan, at address: UInt64) throws(CheckpointError)
  /// Pages whose contents are not known, all in one state.
  func visit(_ gap: StateExtent) throws(CheckpointError)
}
