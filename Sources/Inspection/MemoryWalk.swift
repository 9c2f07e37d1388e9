package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage

/// Goes through a range of a chain's memory once, in ascending order. The cost of a hole does not depend on its
/// length.
package final class MemoryWalk: EventSink {
  package typealias Event = PageBatch

  private let visitors: [any MemoryVisitor]
  private let end: PFN
  private var next: PFN
  private var gaps = RunJoiner<PageStatus>()

  private init(_ range: Range<PFN>, _ visitors: [any MemoryVisitor]) {
    self.visitors = visitors
    next = range.lowerBound
    end = range.upperBound
  }

  /// Passes the pages of `range` in the chain's tip to all `visitors`.
  package static func run(
    _ range: Range<PFN>, of chain: Chain, on pool: WorkerPool, _ visitors: [any MemoryVisitor],
    progress: (Double?) -> Void = { _ in }
  ) throws(CheckpointError) {
    try Pipeline(ChainPages(chain, within: range, on: pool), on: pool)
      .resolveDeferred()
      .run(into: MemoryWalk(range, visitors), progress: progress)
  }

  /// One past the last page that is not unpopulated: the end of a raw file of this memory.
  package static func end(of chain: Chain) throws(CheckpointError) -> PFN {
    guard let last = Array(chain.memoryTree).last?.block, let block = try chain.block(last) else {
      return 0
    }
    let slot = block.entries.lastIndex { $0.status.state != .unpopulated } ?? 0
    return last.pfn(slot) + 1
  }

  /// Passes on pages, which come in ascending order.
  package func receive(_ batch: PageBatch) throws(CheckpointError) {
    var slot = 0
    while slot < batch.pages.count {
      let page = batch.pages[slot]
      if page.pfn > next { try add(PageStatus(.unpopulated), from: next, to: page.pfn) }
      var last = slot
      while last + 1 < batch.pages.count, batch.pages[last + 1].pfn == batch.pages[last].pfn + 1,
        batch.pages[last + 1].isKnown == page.isKnown,
        page.isKnown || batch.pages[last + 1].status == page.status
      { last += 1 }
      next = batch.pages[last].pfn + 1
      if page.isKnown {
        try flush()
        for visitor in visitors {
          try visitor.visit(
            batch.buffer.bytes(slot..<last + 1), at: page.pfn << UInt64(Limits.pageShift))
        }
      } else {
        try add(page.status, from: page.pfn, to: next)
      }
      slot = last + 1
    }
  }

  /// Passes on what is left.
  package func finish() throws(CheckpointError) {
    if next < end { try add(PageStatus(.unpopulated), from: next, to: end) }
    try flush()
  }

  private func add(_ status: PageStatus, from start: PFN, to end: PFN) throws(CheckpointError) {
    if let gap = gaps.add(start..<end, status) { try show(gap) }
  }

  private func flush() throws(CheckpointError) {
    if let gap = gaps.end() { try show(gap) }
  }

  private func show(_ gap: StateExtent) throws(CheckpointError) {
    for visitor in visitors { try visitor.visit(gap) }
  }
}

extension PageBatch.Page {
  fileprivate var isKnown: Bool { state == .data || state == .zero }
}
