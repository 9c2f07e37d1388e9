internal import CheckpointImage

/// Collects how PAGE_DATA records divide the pages, in as few layout items as possible.
struct PageLayout {
  /// The most runs of one item.
  private static let longest = 4096

  private var open: LayoutItem.Pages?
  private var lastWasFull = true

  /// Adds a record; returns an item that is complete, if any.
  mutating func add(_ record: PageDataRecord) -> LayoutItem? {
    var finished: LayoutItem?
    let fits =
      lastWasFull && open?.reserved == record.reserved && record.count <= open?.batch ?? 0
      && open?.runs.count ?? 0 < Self.longest
    if !fits { finished = end() }
    var pages =
      open
      ?? LayoutItem.Pages(batch: UInt32(record.count), reserved: record.reserved, runs: [])
    lastWasFull = record.count == pages.batch
    for index in 0..<record.count {
      let pfn = record[index].pfn
      if let last = pages.runs.last, last.pfn + last.count == pfn {
        pages.runs[pages.runs.count - 1].count += 1
      } else {
        pages.runs.append(LayoutItem.Run(pfn: pfn, count: 1))
      }
    }
    open = pages
    return finished
  }

  /// Returns the item in progress; called when a record of another type follows.
  mutating func end() -> LayoutItem? {
    lastWasFull = true
    return open.take().map { .pages($0) }
  }
}
