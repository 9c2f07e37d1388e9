internal import CheckpointImage
internal import Storage

/// The step that compares with the parent: what is the same there becomes *unchanged*.
final class UnchangedPages: EventSink {
  typealias Event = CheckpointEvent<RegionContent>

  private let parent: any ParentMemory
  private let records: Set<RecordKey>
  private var staticRecords: StaticRecords
  private let next: any EventSink<Event>
  /// The parent's block looked at last; sources ascend, so it serves 512 pages.
  private var block: (number: BlockNumber, pages: [PageEntry]?)?

  private let cancellation: Cancellation

  init(
    parent: any ParentMemory, _ keys: [RecordKey], _ cancellation: Cancellation,
    next: any EventSink<Event>
  ) {
    self.parent = parent
    self.cancellation = cancellation
    records = Set(keys)
    staticRecords = StaticRecords(keys)
    self.next = next
  }

  func receive(_ event: Event) throws(CheckpointError) {
    switch event {
    case .pages(.pages(var batch)):
      for slot in batch.pages.indices {
        let page = batch.pages[slot]
        let before = try entry(page.pfn)
        if before.status == page.status, before.digest == page.digest {
          batch.pages[slot].state = .unchanged
        }
      }
      try next.receive(.pages(.pages(batch)))
    case .states(let extent):
      try compare(extent)
    case .record(let record):
      try next.receive(.record(try inherit(record)))
    case .pages(.regions), .layout, .newPass:
      try next.receive(event)
    }
  }

  func finish() throws(CheckpointError) { try next.finish() }

  private func pages(_ number: BlockNumber) throws(CheckpointError) -> [PageEntry]? {
    if let block, block.number == number { return block.pages }
    let pages = try parent.pages(ofBlock: number)
    block = (number, pages)
    return pages
  }

  private func entry(_ pfn: PFN) throws(CheckpointError) -> PageEntry {
    let number = BlockNumber(containing: pfn)
    return try pages(number)?[number.slot(of: pfn)] ?? .unpopulated
  }

  /// Splits an extent into runs that differ from the parent and runs that do not.
  private func compare(_ extent: StateExtent) throws(CheckpointError) {
    var runs = RunJoiner<PageStatus>()
    var pfn = extent.pfn
    while pfn < extent.end {
      try cancellation.check()
      let number = BlockNumber(containing: pfn)
      let blockEnd = min(extent.end, number.pages.upperBound)
      let pages = try pages(number)
      while pfn < blockEnd {
        let before = pages?[number.slot(of: pfn)].status ?? PageStatus(.unpopulated)
        let status = before == extent.status ? PageStatus(.unchanged) : extent.status
        // A block that the parent lacks is one run.
        let count = pages == nil ? blockEnd - pfn : 1
        if let run = runs.add(pfn..<pfn + count, status) { try next.receive(.states(run)) }
        pfn += count
      }
    }
    if let run = runs.end() { try next.receive(.states(run)) }
  }

  /// Static records must be the parent's; static and sticky ones that are the same are not stored again.
  private func inherit(_ record: MachineRecord) throws(CheckpointError) -> MachineRecord {
    guard record.key.class != .epoch else { return record }
    if records.contains(record.key) { return record.inherited }
    if let other = staticRecords.insert(record.key) {
      throw CheckpointError(
        .mismatch,
        "the parent is an image of another guest: static \(record.key.namespace) record \(record.key.type)"
          + " has digest \(record.key.digest), in the parent \(other.digest)")
    }
    return record
  }
}
