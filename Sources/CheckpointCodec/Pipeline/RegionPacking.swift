internal import CheckpointImage

/// The step that gathers the pages to be stored, in order of arrival, into full batches; the others
/// become extents.
final class RegionPacking: EventSink {
  typealias Event = CheckpointEvent<RegionContent>

  private let next: any EventSink<CheckpointEvent<PackedContent>>
  private var gathered: PageBatch?
  private let buffers: PageBufferPool
  private var extents = RunJoiner<PageStatus>()

  init(_ pool: WorkerPool, next: any EventSink<CheckpointEvent<PackedContent>>) {
    buffers = pool.buffers
    self.next = next
  }

  func receive(_ event: Event) throws(CheckpointError) {
    switch event {
    case .pages(.pages(let batch)): try gather(batch)
    case .pages(.regions(let regions)): try next.receive(.pages(.regions(regions)))
    case .states(let extent):
      if let extent = extents.add(extent.pages, extent.status) { try next.receive(.states(extent)) }
    case .newPass:
      // What is pending must be written before a later copy of it.
      try flush()
      try next.receive(.newPass)
    case .record(let record): try next.receive(.record(record))
    case .layout(let item): try next.receive(.layout(item))
    }
  }

  func finish() throws(CheckpointError) {
    try flush()
    try next.finish()
  }

  private func gather(_ batch: PageBatch) throws(CheckpointError) {
    // The common case of a base: all pages are stored, and the batch goes on as it is.
    if gathered == nil, batch.pages.count == PageBuffer.capacity,
      batch.pages.allSatisfy({ $0.state == .data })
    {
      return try next.receive(.pages(.pages(batch)))
    }
    // Accesses to a local variable need no check, which takes time for each page.
    var extents = extents
    defer { self.extents = extents }
    for slot in batch.pages.indices {
      let page = batch.pages[slot]
      if page.state == .data {
        try store(page, batch.buffer, slot)
      } else if let extent = extents.add(page.pfn..<page.pfn + 1, page.status) {
        try next.receive(.states(extent))
      }
    }
  }

  private func store(_ page: PageBatch.Page, _ buffer: PageBuffer, _ slot: Int)
    throws(CheckpointError)
  {
    var batch = gathered.take() ?? PageBatch(buffer: buffers.buffer(), pages: [])
    batch.buffer.copy(buffer, slot..<slot + 1, to: batch.pages.count)
    batch.pages.append(page)
    if batch.pages.count == PageBuffer.capacity {
      try next.receive(.pages(.pages(batch)))
    } else {
      gathered = batch
    }
  }

  private func flush() throws(CheckpointError) {
    if let batch = gathered.take() { try next.receive(.pages(.pages(batch))) }
    if let extent = extents.end() { try next.receive(.states(extent)) }
  }
}
