package import CheckpointImage

/// Which pages are not to be saved, each with the reason.
package struct EvictionPlan: Sendable {
  /// Pages that follow each other and are left out for the same reason; `none` if they are saved.
  package typealias Run = ValueRun<EvictionReason>

  /// The pages that are not saved: ascending, without overlaps.
  private var evicted: [Run] = []

  /// Every page is saved.
  package init() {}

  /// Whether every page is saved.
  package var isEmpty: Bool { evicted.isEmpty }

  /// How many pages are not saved.
  package var pageCount: UInt64 { evicted.reduce(0) { $0 + UInt64($1.pages.count) } }

  /// Why a page is not saved; `none` if it is.
  package subscript(pfn: PFN) -> EvictionReason { run(at: pfn).reason }

  /// The run that a page is in: to ask for many pages is to ask for few runs.
  package func run(at pfn: PFN) -> Run {
    let place = firstRun(endingBehind: pfn)
    guard place < evicted.count else {
      return Run((evicted.last?.pages.upperBound ?? 0)..<PFN.max, .none)
    }
    let next = evicted[place]
    guard pfn < next.pages.lowerBound else { return next }
    let start = place > 0 ? evicted[place - 1].pages.upperBound : 0
    return Run(start..<next.pages.lowerBound, .none)
  }

  /// The runs of a range of pages, which cover it.
  package func runs(of pages: Range<PFN>) -> some Sequence<Run> {
    sequence(state: pages) { rest -> Run? in
      guard let first = rest.first else { return nil }
      var run = self.run(at: first)
      run.pages = run.pages.clamped(to: rest)
      rest = run.pages.upperBound..<rest.upperBound
      return run
    }
  }

  /// Leaves out pages, all for one reason, whatever was planned for them before; `none` saves them. This is quick
  /// if no pages far behind them are left out.
  package mutating func evict(_ pages: Range<PFN>, _ reason: EvictionReason) {
    guard !pages.isEmpty else { return }
    if pages.lowerBound >= evicted.last?.pages.upperBound ?? 0 {
      append(pages, reason)
      return
    }
    let first = firstRun(endingBehind: pages.lowerBound)
    var end = first
    while end < evicted.count, evicted[end].pages.lowerBound < pages.upperBound { end += 1 }
    var new: [Run] = []
    if first < end, evicted[first].pages.lowerBound < pages.lowerBound {
      let before = evicted[first].pages.lowerBound..<pages.lowerBound
      new.append(Run(before, evicted[first].reason))
    }
    if reason != .none { new.append(Run(pages, reason)) }
    if first < end, evicted[end - 1].pages.upperBound > pages.upperBound {
      let after = pages.upperBound..<evicted[end - 1].pages.upperBound
      new.append(Run(after, evicted[end - 1].reason))
    }
    evicted.replaceSubrange(first..<end, with: new)
  }

  /// Leaves out pages behind all others.
  private mutating func append(_ pages: Range<PFN>, _ reason: EvictionReason) {
    guard reason != .none else { return }
    if evicted.isEmpty || !evicted[evicted.count - 1].join(pages, reason) {
      evicted.append(Run(pages, reason))
    }
  }

  /// Adds all pages of another plan; those that are evicted already keep their reason.
  package mutating func add(_ other: EvictionPlan) {
    evicted = Self.lay(evicted, over: other.evicted)
  }

  /// Saves pages after all. Numbers that are no PFN are passed over.
  package mutating func keep(_ pfns: Set<PFN>) {
    let kept = pfns.filter { $0 < Limits.pfnEnd }.sorted().map {
      Run($0..<$0 + 1, .none)
    }
    evicted = Self.lay(kept, over: evicted).filter { $0.reason != .none }
  }

  /// All of the upper runs, and what they leave of the lower ones.
  private static func lay(_ upper: [Run], over lower: [Run]) -> [Run] {
    var result: [Run] = []
    var rest = upper[...]
    for run in lower {
      var start = run.pages.lowerBound
      while let next = rest.first, next.pages.lowerBound < run.pages.upperBound {
        if start < next.pages.lowerBound {
          result.append(Run(start..<next.pages.lowerBound, run.reason))
        }
        start = max(start, next.pages.upperBound)
        // One that goes on behind the lower run may meet the next one too.
        guard next.pages.upperBound <= run.pages.upperBound else { break }
        result.append(next)
        rest.removeFirst()
      }
      if start < run.pages.upperBound {
        result.append(Run(start..<run.pages.upperBound, run.reason))
      }
    }
    return result + rest
  }

  /// The place of the first run that ends behind a page.
  private func firstRun(endingBehind pfn: PFN) -> Int {
    evicted.indices.partitioningIndex { evicted[$0].pages.upperBound > pfn }
  }
}

extension EvictionPlan.Run {
  /// Why the pages are not saved; `none` if they are.
  package var reason: EvictionReason { value }
}
