package import CheckpointCodec
package import CheckpointImage
package import Storage
internal import Synchronization

/// An image with all its ancestors: the memory and the machine's state at the tip's moment.
///
/// It may be read from all threads at once.
package final class Chain: ParentMemory, Sendable {
  /// The images, tip first, base last.
  package let images: [ImageFile]
  /// The digests over the memory: a node for each block with a populated page.
  package let memoryTree: MemoryTree
  private let cache: ChainCache

  /// The youngest image.
  package var tip: ImageFile { images[0] }
  /// The identity of the tip's moment.
  package var checkpointID: Digest { tip.root.checkpointID }
  /// Whether reading is to stop; given by whoever opened the tip.
  package var cancellation: Cancellation { tip.cancellation }

  /// Entries of tables of index blocks that are kept in memory, of all images together; each takes some 100 bytes.
  private static let mostTableEntries = 1 << 18

  /// A chain of images, tip first. The tip's memory digest is compared with that of the index.
  package init(_ images: [ImageFile]) throws(CheckpointError) {
    self.images = images
    cache = ChainCache()
    memoryTree = try Self.memoryTree(of: images)
    try images[0].checkMemory(memoryTree.root)
  }

  /// The same chain, its images read ahead in pieces of 1 MiB: for work that goes through most of it in order. Of a
  /// chain of very many images there would be too many pieces: such a one is returned as it is.
  ///
  /// - Parameter pieces: how many are kept for all images; without a number, one with regions and one with index
  ///   blocks for each, and one more, for one thread may be a piece ahead of another.
  package func readingAhead(pieces: Int? = nil) -> Chain {
    let count = pieces ?? 2 * images.count + 1
    guard count <= Self.mostPieces else { return self }
    let pieces = ReadAhead.Pieces(limit: count)
    return Chain(self, images.map { $0.readingAhead(pieces) })
  }

  private static let mostPieces = 32

  private init(_ chain: Chain, _ images: [ImageFile]) {
    self.images = images
    cache = chain.cache
    memoryTree = chain.memoryTree
  }

  /// The chain that ends `depth` images before the tip.
  package func ancestor(_ depth: Int) throws(CheckpointError) -> Chain {
    try Chain(Array(images[depth...]))
  }

  /// Fails if `output` would replace an image of this chain, which is still needed.
  package func checkStays(_ output: any ByteSink) throws(CheckpointError) {
    try Self.check(images, stayBehind: output)
  }

  /// Fails if `output` would replace one of some images.
  package static func check(_ images: [ImageFile], stayBehind output: any ByteSink)
    throws(CheckpointError)
  {
    guard let replaced = output.replaced else { return }
    for image in images where image.storage.identity == replaced { throw isNeeded(image.name) }
  }

  package static func isNeeded(_ image: String) -> CheckpointError {
    CheckpointError(
      .refused, "the output would replace this image, which is needed: choose another name",
      file: image)
  }

  private static func memoryTree(of images: [ImageFile]) throws(CheckpointError) -> MemoryTree {
    var found: [BlockNumber: Digest?] = [:]
    var kept = 0
    for image in images {
      // The youngest image that describes a block knows its node.
      if image.blockNumbers.contains(where: { found[$0] == nil }) {
        for entry in try image.blocks() where found[entry.number] == nil {
          found[entry.number] = .some(entry.node)
        }
      }
      kept += image.blockNumbers.count
      if kept > mostTableEntries { image.dropTable() }
    }
    // Once for all images: each would compute its way to the top anew.
    var tree = MemoryTree()
    tree.update(found.map { (block: $0, node: $1) }.sorted { $0.block < $1.block })
    return tree
  }

  // MARK: Records

  /// The records of the tip's machine state, whose digest is compared; payloads may be with ancestors.
  package func machineRecords() throws(CheckpointError) -> [MachineRecord] {
    if let known = cache.records.withLock({ $0 }) { return known }
    let records = try Self.records(of: tip)
    try tip.checkState(records.map(\.key))
    cache.records.withLock { $0 = records }
    return records
  }

  /// What identifies each record of the tip's machine state.
  package func records() throws(CheckpointError) -> [RecordKey] { try machineRecords().map(\.key) }

  /// The records of an image, in order; inherited ones without payload.
  package static func records(of image: ImageFile) throws(CheckpointError) -> [MachineRecord] {
    var records: [MachineRecord] = []
    var staticRecords = StaticRecords()
    for entry in image.root.directory where entry.rawKind == SegmentKind.record.rawValue {
      try image.cancellation.check()
      let offset = entry.offset + UInt64(SegmentFrame.byteCount)
      let body = try image.body(of: entry)
      do throws(CheckpointError) {
        let record = try MachineRecord(parsing: body.rawSpan, at: offset)
        guard record.payload != nil || image.header.parent != nil else {
          throw CheckpointError(
            .damaged, "a base inherits a record", structure: "record", offset: offset)
        }
        try check(record.key, among: &staticRecords, at: offset)
        records.append(record)
      } catch {
        throw error.inFile(image.name)
      }
    }
    return records
  }

  /// Fails if a static record is another than one of its type before it.
  static func check(_ key: RecordKey, among staticRecords: inout StaticRecords, at offset: UInt64?)
    throws(CheckpointError)
  {
    guard let other = staticRecords.insert(key) else { return }
    throw CheckpointError(
      .damaged,
      "static \(key.namespace) record \(key.type): found \(key.digest), expected \(other.digest)",
      structure: "record", offset: offset)
  }

  static func missingPayload(_ key: RecordKey, _ image: ImageFile) -> CheckpointError {
    CheckpointError(
      .damaged, "no ancestor holds the inherited \(key.namespace) record \(key.type)",
      structure: "record", file: image.name)
  }

  /// The records with their payloads.
  package func completeRecords() throws(CheckpointError) -> [MachineRecord] {
    let records = try machineRecords()
    var missing = Set(records.filter { $0.payload == nil }.map(\.key))
    var payloads: [RecordKey: [UInt8]] = [:]
    for image in images.dropFirst() where !missing.isEmpty {
      for record in try Self.records(of: image) where missing.contains(record.key) {
        guard let payload = record.payload else { continue }
        payloads[record.key] = payload
        missing.remove(record.key)
      }
    }
    if let key = missing.first { throw Self.missingPayload(key, tip) }
    return records.map { record in
      var record = record
      if record.payload == nil { record.payload = payloads[record.key] }
      return record
    }
  }

  // MARK: Pages

  /// The 512 pages of a block; nil if no image describes it.
  package func pages(ofBlock number: BlockNumber) throws(CheckpointError) -> [PageEntry]? {
    try block(number)?.entries
  }

  /// The 512 pages of a block and the images that hold them; nil if no image describes it.
  package func block(_ number: BlockNumber) throws(CheckpointError) -> ChainBlock? {
    if let block = cache.blocks.withLock({ $0.value(number) }) { return block }
    var block = ChainBlock(number)
    try block.fill(from: images[...])
    return try admit(block)
  }

  /// A block as it is once a plan was followed.
  func block(_ number: BlockNumber, evicting plan: EvictionPlan) throws(CheckpointError)
    -> ChainBlock?
  {
    guard var block = try block(number) else { return nil }
    if !plan.isEmpty { _ = block.evict(plan) }
    return block
  }

  /// Checks a block against its node and keeps it for a while; nil if no image describes it.
  package func admit(_ block: ChainBlock) throws(CheckpointError) -> ChainBlock? {
    guard !block.isEmpty else { return nil }
    try checkNode(block)
    cache.blocks.withLock { _ = $0.insert(block, block.number) }
    return block
  }

  private func checkNode(_ block: ChainBlock) throws(CheckpointError) {
    var digests = MemoryDigest()
    let found = digests.block(block.entries.span)
    // The youngest image that describes the block records its node.
    let image = images.first { $0.hasBlock(block.number) }
    try image?.checkNode(memoryTree[block.number], ofBlock: block.number, is: found)
  }
}

/// What was read of a chain.
private final class ChainCache: Sendable {
  /// The most recent blocks.
  let blocks = Mutex(LeastRecentlyUsed<BlockNumber, ChainBlock>(limit: 16))
  /// The records of the tip; nil if they were not read yet.
  let records = Mutex<[MachineRecord]?>(nil)
}
