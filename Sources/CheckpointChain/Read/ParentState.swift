package import CheckpointCodec
package import CheckpointImage
package import Storage

/// The parent of an increment that is to be written, in a series of increments each on the one before.
///
/// It begins as the moment of a chain; each increment written takes it further, at a cost that depends on that
/// increment alone. Blocks are read from the chain when they are first asked for, and then kept: at most 9 MiB
/// for each GiB of populated memory. One thread at a time may use it.
package final class ParentState: ParentMemory {
  private let chain: Chain
  /// The blocks that were asked for or changed, as they are now.
  private var blocks: [BlockNumber: PackedPages] = [:]
  /// The names of the increments.
  private var increments: [StorageIdentity: String] = [:]

  /// The youngest image.
  package private(set) var tip: ImageFile
  /// The records of the last increment; nil before one.
  private var keys: [RecordKey]?
  /// The blocks with a populated page.
  package private(set) var memoryTree: MemoryTree

  /// The identity of the moment.
  package var checkpointID: Digest { tip.root.checkpointID }

  /// The moment of a chain.
  package init(_ chain: Chain) {
    self.chain = chain
    tip = chain.tip
    memoryTree = chain.memoryTree
  }

  /// All records of the machine state, inherited ones included.
  package func records() throws(CheckpointError) -> [RecordKey] {
    if let keys { return keys }
    return try chain.records()
  }

  /// The 512 pages of a block; nil if no image describes it. Their locations mean nothing.
  package func pages(ofBlock number: BlockNumber) throws(CheckpointError) -> [PageEntry]? {
    if let known = blocks[number] { return known.entries }
    guard let pages = try chain.pages(ofBlock: number) else { return nil }
    blocks[number] = PackedPages(pages)
    return pages
  }

  /// Goes on to the moment of `increment`, whose parent is the moment so far. The increment's nodes, memory
  /// digest and state digest are compared with what follows from its index and records; after an error the
  /// moment is of no more use.
  package func advance(by increment: ImageFile) throws(CheckpointError) {
    guard increment.header.parent == checkpointID else {
      throw CheckpointError(
        .mismatch, "is no increment of checkpoint \(checkpointID), \(tip.name)",
        file: increment.name)
    }
    var digests = MemoryDigest()
    let entries = try increment.blocks()
    for entry in entries {
      try increment.cancellation.check()
      var pages = BlockOverlay(over: try pages(ofBlock: entry.number))
      pages.lay(try increment.indexBlock(entry))
      try increment.checkNode(
        entry.node, ofBlock: entry.number, is: digests.block(pages.entries.span))
      blocks[entry.number] = PackedPages(pages.entries)
    }
    memoryTree.update(entries.map { ($0.number, $0.node) })
    try increment.checkMemory(memoryTree.root)
    let keys = try Chain.records(of: increment).map(\.key)
    try increment.checkState(keys)
    self.keys = keys
    increments[increment.storage.identity] = increment.name
    tip = increment
  }

  /// Fails if `output` would replace an image that is still needed.
  package func checkStays(_ output: any ByteSink) throws(CheckpointError) {
    try chain.checkStays(output)
    if let name = output.replaced.flatMap({ increments[$0] }) { throw Chain.isNeeded(name) }
  }
}
