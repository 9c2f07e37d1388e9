package import CheckpointCodec
package import CheckpointImage
internal import Storage

/// The youngest copies of a span of images, as events for a new image.
///
/// Images come oldest first and states last, so that a dead copy that is carried along never follows the
/// living one.
package final class MergeSource: EventSource {
  /// The memory digest of what the events make.
  package private(set) var memory: Digest
  /// What became of the pages that were to be left out.
  package let tally = EvictionTally()

  private let chain: Chain
  private let plan: EvictionPlan
  private let merge: RegionMerge
  private var records: ArraySlice<MachineRecord>
  private var layout: LayoutReader
  /// The blocks that the span describes, ascending.
  private var blocks: ArraySlice<BlockNumber> = []
  private var regions: [LiveRegion] = []
  private var nextRegion = 0
  private var states: [StateExtent] = []
  private var nextState = 0
  private var passBegun = false

  /// What became of the regions so far.
  package var counts: MergeTally.Counts { merge.tally.counts }
  /// How many of the regions were given out.
  package var fractionDone: Double? {
    regions.isEmpty ? nil : Double(nextRegion) / Double(regions.count)
  }

  /// The events of the youngest `span` images of a chain.
  ///
  /// - Parameters:
  ///   - recoding: every region is expanded, to be compressed anew.
  ///   - plan: pages that become evicted, whichever image holds them.
  package init(
    _ chain: Chain, span: Int, recoding: Bool, evicting plan: EvictionPlan = EvictionPlan(),
    on pool: WorkerPool
  ) throws(CheckpointError) {
    self.chain = chain
    self.plan = plan
    memory = chain.memoryTree.root
    merge = RegionMerge(chain: chain, span: span, recoding: recoding, plan: plan, pool.buffers)
    records = try Self.records(chain, span: span)[...]
    layout = LayoutReader(chain.tip)
    try collectRegions()
  }

  /// Payloads that images before the span hold stay there.
  private static func records(_ chain: Chain, span: Int) throws(CheckpointError) -> [MachineRecord]
  {
    let complete = try chain.completeRecords()
    guard span < chain.images.count else { return complete }
    let kept = Set(try chain.ancestor(span).records())
    return complete.map {
      $0.key.class != .epoch && kept.contains($0.key) ? $0.inherited : $0
    }
  }

  /// Goes through the index block by block: which regions have living pages.
  private func collectRegions() throws(CheckpointError) {
    var numbers: Set<BlockNumber> = []
    for image in chain.images[..<merge.span] { numbers.formUnion(image.blockNumbers) }
    if !plan.isEmpty { numbers.formUnion(try evict()) }
    blocks = numbers.sorted()[...]
    regions = try chain.liveRegions(span: merge.span, blocks: blocks, evicting: plan)
  }

  /// What the plan makes of the memory, from the index alone. Returns the blocks that it changes.
  private func evict() throws(CheckpointError) -> [BlockNumber] {
    var digests = MemoryDigest()
    var changes: [(block: BlockNumber, node: Digest?)] = []
    for (number, _) in chain.memoryTree {
      try chain.cancellation.check()
      guard var block = try chain.block(number), block.evict(plan, tally) > 0 else { continue }
      changes.append((number, digests.block(block.entries.span)))
    }
    var tree = chain.memoryTree
    tree.update(changes)
    memory = tree.root
    return changes.map(\.block)
  }

  /// The entries of a block that come from the span.
  private func forEachEntry(of number: BlockNumber, _ body: (PFN, PageEntry, Int) -> Void)
    throws(CheckpointError)
  {
    guard let block = try chain.block(number, evicting: plan) else { return }
    for slot in 0..<Limits.blockPages {
      let image = Int(block.image[slot])
      if (0..<merge.span).contains(image) { body(number.pfn(slot), block.entries[slot], image) }
    }
  }

  /// The states of the next block that has any.
  private func readStates() throws(CheckpointError) -> Bool {
    states.removeAll(keepingCapacity: true)
    nextState = 0
    while states.isEmpty, let number = blocks.popFirst() {
      try forEachEntry(of: number) { (pfn, entry, _) in
        guard entry.status.state != .data else { return }
        states.add(pfn, entry.status)
      }
    }
    return !states.isEmpty
  }

  /// The next event.
  package func next() throws(CheckpointError) -> CheckpointEvent<Deferred<RegionContent>>? {
    if let record = records.popFirst() { return .record(record) }
    if let item = try layout.next() { return .layout(item) }
    if nextRegion < regions.count {
      nextRegion += 1
      return .pages(
        Deferred { [merge, region = regions[nextRegion - 1]] () throws(CheckpointError) in
          try merge.read(region)
        })
    }
    if !passBegun {
      // What follows supersedes the dead copies in the regions.
      passBegun = true
      return .newPass
    }
    if nextState == states.count, try !readStates() { return nil }
    nextState += 1
    return .states(states[nextState - 1])
  }
}
