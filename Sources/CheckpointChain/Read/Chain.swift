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
  /// The records of the tip's machine state; payloads may be with ancestors.
  package let machineRecords: [MachineRecord]
  /// The blocks with a populated page.
  package let nodes: MemoryTree
  private let recent = Mutex(RecentBlocks())

  /// The youngest image.
  package var tip: ImageFile { images[0] }
  /// The identity of the tip's moment.
  package var checkpointID: Digest { tip.root.checkpointID }
  /// What identifies each record.
  package let records: [RecordKey]

  /// A chain of images, tip first. The tip's memory digest is compared with that of the index.
  package init(_ images: [ImageFile]) throws(CheckpointError) {
    self.images = images
    nodes = try Self.nodes(of: images)
    machineRecords = try Self.records(of: images[0])
    records = machineRecords.map(\.key)
    try images[0].checkMoment(nodes.root, records)
  }

  /// The chain that ends `depth` images before the tip.
  package func ancestor(_ depth: Int) throws(CheckpointError) -> Chain {
    try Chain(Array(images[depth...]))
  }

  /// Fails if `output` would replace an image of this chain, which is still needed.
  package func checkStays(_ output: OutputFile) throws(CheckpointError) {
    try Self.check(images, stayBehind: output)
  }

  /// Fails if `output` would replace one of some images.
  package static func check(_ images: [ImageFile], stayBehind output: OutputFile)
    throws(CheckpointError)
  {
    guard let replaced = output.replaced else { return }
    for image in images where image.file.identity == replaced { throw isNeeded(image.name) }
  }

  static func isNeeded(_ image: String) -> CheckpointError {
    CheckpointError(
      .refused, "the output would replace this image, which is needed: choose another name",
      file: image)
  }

  private static func nodes(of images: [ImageFile]) throws(CheckpointError) -> MemoryTree {
    var found: [UInt64: Digest?] = [:]
    // The youngest image that has a word on a block knows its node.
    for image in images where image.blockNumbers.contains(where: { found[$0] == nil }) {
      for entry in try image.blocks() where found[entry.number] == nil {
        found[entry.number] = .some(entry.node)
      }
    }
    // Once for all images: each would compute its way to the top anew.
    var nodes = MemoryTree()
    nodes.update(found.map { (block: $0, node: $1) }.sorted { $0.block < $1.block })
    return nodes
  }

  /// The records of an image, in order; inherited ones without payload.
  package static func records(of image: ImageFile) throws(CheckpointError) -> [MachineRecord] {
    var records: [MachineRecord] = []
    var staticRecords = StaticRecords()
    for entry in image.root.directory where entry.rawKind == SegmentKind.record.rawValue {
      try Interruption.check()
      let offset = entry.offset + UInt64(SegmentFrame.byteCount)
      let body = try image.body(of: entry)
      do throws(CheckpointError) {
        let record = unsafe try MachineRecord(parsing: body.span.bytes, at: offset)
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
    var missing = Set(machineRecords.filter { $0.payload == nil }.map(\.key))
    var payloads: [RecordKey: [UInt8]] = [:]
    for image in images.dropFirst() where !missing.isEmpty {
      for record in try Self.records(of: image) where missing.contains(record.key) {
        guard let payload = record.payload else { continue }
        payloads[record.key] = payload
        missing.remove(record.key)
      }
    }
    if let key = missing.first { throw Self.missingPayload(key, tip) }
    return machineRecords.map { record in
      var record = record
      if record.payload == nil { record.payload = payloads[record.key] }
      return record
    }
  }

  /// The 512 pages of a block; nil if no image has a word on it.
  package func pages(ofBlock number: UInt64) throws(CheckpointError) -> [PageEntry]? {
    try block(number)?.entries
  }

  /// The 512 pages of a block and the images that hold them; nil if no image has a word on it.
  package func block(_ number: UInt64) throws(CheckpointError) -> ChainBlock? {
    if let block = recent.withLock({ $0.block(number) }) { return block }
    var block = ChainBlock(number)
    try block.lay(over: images[...])
    return try admit(block)
  }

  /// A block as it is once a plan was followed.
  func block(_ number: UInt64, evicting plan: EvictionPlan) throws(CheckpointError) -> ChainBlock? {
    guard var block = try block(number) else { return nil }
    if !plan.isEmpty { _ = block.evict(plan) }
    return block
  }

  /// Checks a block against its node and keeps it for a while; nil if no image has a word on it.
  func admit(_ block: ChainBlock) throws(CheckpointError) -> ChainBlock? {
    guard block.left < Limits.blockPages else { return nil }
    try checkNode(block)
    recent.withLock { $0.insert(block) }
    return block
  }

  private func checkNode(_ block: ChainBlock) throws(CheckpointError) {
    var digests = MemoryDigest()
    let found = digests.block(block.entries.span)
    // The youngest image that has the block says what its node must be.
    let image = images.first { $0.hasBlock(block.number) }
    try image?.checkNode(nodes[block.number], ofBlock: block.number, is: found)
  }
}

/// The blocks read last.
private struct RecentBlocks {
  private static let limit = 64
  private var blocks: [UInt64: ChainBlock] = [:]
  private var order: [UInt64] = []

  func block(_ number: UInt64) -> ChainBlock? { blocks[number] }

  mutating func insert(_ block: ChainBlock) {
    if blocks.updateValue(block, forKey: block.number) == nil { order.append(block.number) }
    if order.count > Self.limit { blocks[order.removeFirst()] = nil }
  }
}
