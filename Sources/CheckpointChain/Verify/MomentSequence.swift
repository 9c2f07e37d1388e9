internal import CheckpointCodec
internal import CheckpointImage

/// The moments of a chain one after the other, base first: each image changes the one before. No block is
/// read again for a younger image.
struct MomentSequence {
  /// The leaves of the memory digest in one block.
  private struct Block {
    var occupancy = PageSet()
    /// Those of the populated pages, ascending.
    var leaves: [Digest] = []
  }

  private let digests = MemoryDigest()
  private var blocks: [BlockNumber: Block] = [:]
  private var tree = MemoryTree()
  private var staticRecords = StaticRecords()
  /// Records whose payloads some image holds.
  private var held: Set<RecordKey> = []

  /// Takes the leaves of the entries that the next image has for a block, nil for unpopulated pages. The
  /// block's node must follow.
  mutating func update(
    _ entry: RootBody.BlockEntry, _ changes: [(slot: Int, leaf: Digest?)], of image: ImageFile
  ) throws(CheckpointError) {
    let before = blocks.removeValue(forKey: entry.number) ?? Block()
    var leaves = [Digest?](repeating: nil, count: Limits.blockPages)
    for (slot, leaf) in zip(before.occupancy.members, before.leaves) { leaves[slot] = leaf }
    for (slot, leaf) in changes { leaves[slot] = leaf }
    var block = Block()
    for slot in leaves.indices {
      guard let leaf = leaves[slot] else { continue }
      block.occupancy[slot] = true
      block.leaves.append(leaf)
    }
    let node = block.leaves.isEmpty ? nil : digests.block(block.occupancy, block.leaves)
    if node != nil { blocks[entry.number] = block }
    try image.checkNode(entry.node, ofBlock: entry.number, is: node)
  }

  /// Ends an image with all its blocks: its digests, records and identity must be those of the moment.
  mutating func end(_ image: ImageFile, _ blocks: [RootBody.BlockEntry])
    throws(CheckpointError)
  {
    tree.update(blocks.map { ($0.number, $0.node) })
    try image.checkMemory(tree.root)
    var records: [RecordKey] = []
    for record in try Chain.records(of: image) {
      try check(record, image)
      records.append(record.key)
    }
    try image.checkState(records)
  }

  private mutating func check(_ record: MachineRecord, _ image: ImageFile)
    throws(CheckpointError)
  {
    if record.payload != nil {
      held.insert(record.key)
    } else if !held.contains(record.key) {
      throw Chain.missingPayload(record.key, image)
    }
    do throws(CheckpointError) {
      // A guest keeps its static records for life.
      try Chain.check(record.key, among: &staticRecords, at: nil)
    } catch {
      throw error.inFile(image.name)
    }
  }
}
