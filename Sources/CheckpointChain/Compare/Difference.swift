internal import CheckpointCodec
package import CheckpointImage
internal import Storage

/// Which pages differ between two moments, from the indexes alone.
package struct Difference: Sendable {
  /// Pages that follow each other and differ in the same way.
  package typealias Run = ValueRun<PageChange>

  /// How many pages differ in which way.
  package private(set) var changes: [PageChange: UInt64] = [:]
  /// The number of runs.
  package private(set) var runs: UInt64 = 0
  /// The blocks with pages that differ.
  package private(set) var blocks = 0
  /// Pages that differ.
  package private(set) var pages: UInt64 = 0
  private var joiner = RunJoiner<PageChange>()

  /// Compares two moments and gives each run of pages that differ, ascending, to `body`. Only blocks
  /// whose nodes differ are read.
  ///
  /// - Parameter range: the PFNs to be compared.
  package init(
    _ pair: ChainPair, within range: Range<PFN> = 0..<Limits.pfnEnd,
    each body: (Run) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    for number in pair.after.memoryTree.blocks(differingFrom: pair.before.memoryTree) {
      let wanted = number.slots(of: range)
      guard !wanted.isEmpty else { continue }
      try pair.after.cancellation.check()
      let (old, new) = try pair.pages(ofBlock: number)
      let before = pages
      for slot in wanted {
        if let change = PageChange(old[slot], new[slot]) {
          try add(number.pfn(slot), change, body)
        }
      }
      if pages > before { blocks += 1 }
    }
    if let run = joiner.end() { try count(run, body) }
  }

  private mutating func add(
    _ pfn: PFN, _ change: PageChange, _ body: (Run) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    pages += 1
    changes[change, default: 0] += 1
    if let run = joiner.add(pfn..<pfn + 1, change) { try count(run, body) }
  }

  private mutating func count(_ run: Run, _ body: (Run) throws(CheckpointError) -> Void)
    throws(CheckpointError)
  {
    runs += 1
    try body(run)
  }
}

extension Difference.Run {
  /// How each of the pages differs.
  package var change: PageChange { value }
}
