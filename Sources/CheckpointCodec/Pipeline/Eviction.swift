internal import CheckpointImage

/// The step that takes away the contents of pages that a plan leaves out, before anything is computed of them.
final class Eviction: EventSink {
  typealias Event = CheckpointEvent<PageBatch>

  private let plan: EvictionPlan
  private let tally: EvictionTally
  private let next: any EventSink<Event>

  init(_ plan: EvictionPlan, _ tally: EvictionTally, next: any EventSink<Event>) {
    self.plan = plan
    self.tally = tally
    self.next = next
  }

  func receive(_ event: Event) throws(CheckpointError) {
    guard case .pages(var batch) = event else { return try next.receive(event) }
    var run = plan.run(at: 0)
    for slot in batch.pages.indices {
      let page = batch.pages[slot]
      if !run.pages.contains(page.pfn) { run = plan.run(at: page.pfn) }
      if let evicted = tally.evict(page.status, run.reason) {
        batch.pages[slot].status = evicted
      }
    }
    try next.receive(.pages(batch))
  }

  func finish() throws(CheckpointError) { try next.finish() }
}
