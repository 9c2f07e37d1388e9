internal import CheckpointCodec
public import CheckpointImage

/// Which pages differ between two moments, from the indexes alone.
public struct Difference: Sendable {
  /// A run of pages that differ in the same way.
  public struct Range: Hashable, Sendable {
    /// The first PFN.
    public var pfn: PFN
    /// The number of pages.
    public var count: UInt64
    /// What the pages were.
    public var before: PageState
    /// What the pages are.
    public var after: PageState
  }

  /// The number of runs.
  public private(set) var ranges: UInt64 = 0
  /// Pages that differ.
  public private(set) var pages: UInt64 = 0
  /// Whether machine records, such as processor registers, differ.
  public let machineStateDiffers: Bool
  private var pending: Range?

  /// Compares two moments and gives each run of pages that differ, ascending, to `body`. Only blocks
  /// whose nodes differ are read.
  public init(
    _ before: Chain, _ after: Chain, each body: (Range) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    machineStateDiffers = before.tip.root.state != after.tip.root.state
    var old = Array(before.nodes)[...]
    var new = Array(after.nodes)[...]
    while let number = [old.first?.block, new.first?.block].compactMap({ $0 }).min() {
      let a = old.first?.block == number ? old.popFirst()?.digest : nil
      let b = new.first?.block == number ? new.popFirst()?.digest : nil
      if a != b { try compare(number, before, after, body) }
    }
    try flush(body)
  }

  private mutating func compare(
    _ number: UInt64, _ before: Chain, _ after: Chain,
    _ body: (Range) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    try Interruption.check()
    let empty = [PageEntry](repeating: .unpopulated, count: Limits.blockPages)
    let old = try before.pages(ofBlock: number) ?? empty
    let new = try after.pages(ofBlock: number) ?? empty
    for slot in 0..<Limits.blockPages where !old[slot].sameMemory(as: new[slot]) {
      let range = Range(
        pfn: number * UInt64(Limits.blockPages) + UInt64(slot), count: 1,
        before: old[slot].status.state, after: new[slot].status.state)
      if let last = pending, last.pfn + last.count == range.pfn, last.before == range.before,
        last.after == range.after
      {
        pending?.count += 1
      } else {
        try flush(body)
        pending = range
      }
    }
  }

  private mutating func flush(_ body: (Range) throws(CheckpointError) -> Void)
    throws(CheckpointError)
  {
    guard let range = pending.take() else { return }
    ranges += 1
    pages += range.count
    try body(range)
  }
}
