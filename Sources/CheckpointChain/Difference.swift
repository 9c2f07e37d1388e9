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

  /// The runs, ascending.
  public private(set) var ranges: [Range] = []
  /// Blocks of 512 pages whose nodes differ; only these were read.
  public private(set) var blocksCompared = 0
  /// Whether machine records, such as processor registers, differ.
  public private(set) var machineStateDiffers: Bool

  /// Pages that differ.
  public var differing: UInt64 { ranges.reduce(0) { $0 + $1.count } }

  /// Compares two moments. Only blocks whose nodes differ are read.
  public init(_ before: Chain, _ after: Chain) throws(CheckpointError) {
    machineStateDiffers = before.tip.root.state != after.tip.root.state
    var old = before.nodes[...]
    var new = after.nodes[...]
    while let number = [old.first?.block, new.first?.block].compactMap({ $0 }).min() {
      let a = old.first?.block == number ? old.popFirst()?.digest : nil
      let b = new.first?.block == number ? new.popFirst()?.digest : nil
      if a != b { try compare(number, before, after) }
    }
  }

  private mutating func compare(_ number: UInt64, _ before: Chain, _ after: Chain)
    throws(CheckpointError)
  {
    blocksCompared += 1
    let empty = [PageEntry](repeating: .unpopulated, count: Limits.blockPages)
    let old = try before.pages(ofBlock: number) ?? empty
    let new = try after.pages(ofBlock: number) ?? empty
    for slot in 0..<Limits.blockPages {
      if old[slot].sameMemory(as: new[slot]) { continue }
      let pfn = number * UInt64(Limits.blockPages) + UInt64(slot)
      let range = Range(
        pfn: pfn, count: 1, before: old[slot].status.state, after: new[slot].status.state)
      if let last = ranges.last, last.pfn + last.count == pfn, last.before == range.before,
        last.after == range.after
      {
        ranges[ranges.count - 1].count += 1
      } else {
        ranges.append(range)
      }
    }
  }
}
