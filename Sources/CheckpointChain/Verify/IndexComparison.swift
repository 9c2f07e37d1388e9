internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Compares an image's index with what follows from its other segments: if the index is ever lost, they must
/// give the same memory.
struct IndexComparison {
  private let image: ImageFile
  private let blocks: [RootBody.BlockEntry]
  private let statements: [StatedPages.Statement]
  private let unique: Bool
  private let ascends: Bool
  /// The state of pages that are not mentioned.
  private let unmentioned: PageState

  init(_ image: ImageFile, _ blocks: [RootBody.BlockEntry], _ stated: StatedPages) {
    self.image = image
    self.blocks = blocks
    (statements, unique) = stated.final()
    ascends = stated.ascends
    unmentioned = image.header.parent == nil ? .unpopulated : .unchanged
  }

  /// What disagrees, one finding for a block.
  func run(on pool: WorkerPool) throws(CheckpointError) -> [CheckpointError] {
    var findings: [CheckpointError] = []
    if image.header.ascendingUnique, !unique || !ascends {
      findings.append(
        finding("PFNs do not ascend, as the header says that they do", "header", at: 0))
    }
    var lane = OrderedLane<CheckpointError?>(pool)
    var first = 0
    for entry in blocks {
      try pool.cancellation.check()
      let pages = entry.number.pages
      while first < statements.count, statements[first].end <= pages.lowerBound {
        first += 1
      }
      var last = first
      while last < statements.count, statements[last].pfn < pages.upperBound { last += 1 }
      if lane.isFull, let found = try lane.next() { findings.append(found) }
      let part = statements[first..<last]
      lane.start { [self] in
        do throws(CheckpointError) {
          return try compare(entry, part)
        } catch {
          // A block that cannot be read is a finding like others.
          return error
        }
      }
    }
    while !lane.isEmpty {
      if let found = try lane.next() { findings.append(found) }
    }
    return findings + withoutBlock()
  }

  /// Statements on blocks that the index lacks, the first of them.
  private func withoutBlock() -> [CheckpointError] {
    var blocks = blocks[...]
    for statement in statements where statement.status.state != unmentioned {
      for number in BlockNumber.covering(statement.pfn..<statement.end) {
        while let block = blocks.first, block.number < number { blocks.removeFirst() }
        guard blocks.first?.number == number else {
          let pfn = max(statement.pfn, number.firstPage)
          return [
            finding(
              "PFN \(pfn) is \(statement.status.state) there, and the index has no block \(number)",
              "segments", at: image.trailer.rootOffset)
          ]
        }
      }
    }
    return []
  }

  private func finding(_ reason: String, _ structure: String, at offset: UInt64) -> CheckpointError
  {
    CheckpointError(.damaged, reason, structure: structure, offset: offset, file: image.name)
  }

  private func compare(
    _ entry: RootBody.BlockEntry, _ statements: ArraySlice<StatedPages.Statement>
  ) throws(CheckpointError) -> CheckpointError? {
    var stated = BlockOverlay(unmentioned: PageStatus(unmentioned))
    for statement in statements {
      for slot in entry.number.slots(of: statement.pfn..<statement.end) {
        stated.set(slot, statement.entry(entry.number.pfn(slot)))
      }
    }
    var indexed = BlockOverlay(unmentioned: PageStatus(unmentioned))
    indexed.lay(try image.indexBlock(entry))
    for (slot, (found, expected)) in zip(indexed.entries, stated.entries).enumerated()
    where !found.agrees(with: expected) {
      return finding(
        "PFN \(entry.number.pfn(slot)): found \(Self.text(found)), the segments say "
          + Self.text(expected), "index block", at: entry.offset)
    }
    return nil
  }

  private static func text(_ entry: PageEntry) -> String {
    let type = entry.status.type == 0 ? "" : " of type \(entry.status.type)"
    guard entry.status.state == .data else { return "\(entry.status.state)\(type)" }
    return "data\(type) in slot \(entry.location.slot) of the region at \(entry.location.offset)"
  }
}
