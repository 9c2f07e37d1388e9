internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// What is left of a damaged image, as events for a new one: each page comes once.
final class SalvageSource: EventSource {
  private let evidence: SalvageEvidence
  private let tally: SalvageTally
  private var records: ArraySlice<UInt64>
  private var regions: [SalvagedRegion] = []
  private var nextRegion = 0
  /// The blocks whose states were not given yet.
  private var blocks: ArraySlice<Range<BlockNumber>>
  private var states: [StateExtent] = []
  private var nextState = 0

  /// How many of the regions were given out.
  var fractionDone: Double? {
    regions.isEmpty ? nil : Double(nextRegion) / Double(regions.count)
  }

  init(_ evidence: SalvageEvidence, _ tally: SalvageTally) throws(CheckpointError) {
    self.evidence = evidence
    self.tally = tally
    records = evidence.records[...]
    blocks = evidence.blocks.ranges[...]
    try collectRegions()
  }

  /// Goes through all blocks: which pages are wanted of which region.
  private func collectRegions() throws(CheckpointError) {
    var places: [UInt64: Int] = [:]
    for range in evidence.blocks.ranges {
      for number in range {
        try evidence.cancellation.check()
        let block = try evidence.block(number)
        for slot in 0..<Limits.blockPages {
          guard let entry = block.pages[slot], entry.status.state == .data else { continue }
          let place = places[entry.location.offset] ?? regions.count
          if place == regions.count {
            places[entry.location.offset] = place
            regions.append(SalvagedRegion(offset: entry.location.offset))
          }
          add(number.pfn(slot), entry, isIndexed: block.isIndexed, to: &regions[place].runs)
        }
      }
    }
    regions.sort { $0.offset < $1.offset }
  }

  private func add(
    _ pfn: PFN, _ entry: PageEntry, isIndexed: Bool, to runs: inout [SalvagedRegion.Run]
  ) {
    if let last = runs.last, last.precedes(pfn, entry, isIndexed: isIndexed) {
      runs[runs.count - 1].count += 1
    } else {
      runs.append(
        SalvagedRegion.Run(
          pfn: pfn, count: 1, type: entry.status.type, slot: entry.location.slot,
          isIndexed: isIndexed))
    }
  }

  func next() throws(CheckpointError) -> CheckpointEvent<Deferred<RegionContent>>? {
    if let offset = records.popFirst() {
      return .record(try evidence.record(at: offset))
    }
    if nextRegion < regions.count {
      nextRegion += 1
      return .pages(
        Deferred { [evidence, tally, region = regions[nextRegion - 1]] () throws(CheckpointError) in
          .pages(try region.read(evidence, tally))
        })
    }
    if nextState == states.count, try !readStates() { return nil }
    nextState += 1
    return .states(states[nextState - 1])
  }

  private func nextBlock() -> BlockNumber? {
    guard let range = blocks.first, let number = range.first else { return nil }
    let rest = range.dropFirst()
    if rest.isEmpty { blocks.removeFirst() } else { blocks[blocks.startIndex] = rest }
    return number
  }

  /// The states of the next block that has any.
  private func readStates() throws(CheckpointError) -> Bool {
    states.removeAll(keepingCapacity: true)
    nextState = 0
    while states.isEmpty, let number = nextBlock() {
      let block = try evidence.block(number)
      for slot in 0..<Limits.blockPages {
        guard let entry = block.pages[slot], entry.status.state != .data else { continue }
        let pfn = number.pfn(slot)
        if block.lost[slot] { tally.lose(pfn..<pfn + 1) } else { tally.keep(1) }
        states.add(pfn, entry.status)
      }
    }
    return !states.isEmpty
  }
}
