package import CheckpointImage

/// What the writer of an increment must know of the moment before it.
package protocol ParentMemory: AnyObject {
  /// The parent's identity.
  var checkpointID: Digest { get }
  /// All records of the parent's machine state, inherited ones included.
  func records() throws(CheckpointError) -> [RecordKey]
  /// The blocks with a populated page.
  var memoryTree: MemoryTree { get }
  /// The 512 pages of a block; nil if no image describes it.
  func pages(ofBlock number: BlockNumber) throws(CheckpointError) -> [PageEntry]?
}
