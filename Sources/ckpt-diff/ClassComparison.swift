import CheckpointChain
import CheckpointImage
import CommandLineSupport
import GuestMemory
import Pictures

/// How much of the memory of two moments is of each class, and of which classes the pages are that differ.
struct ClassComparison {
  struct Share: Encodable {
    var name: String
    var before: UInt64
    var after: UInt64
    /// Pages that differ and are of this class afterwards.
    var differing: UInt64
  }

  private let before: ClassifiedMemory
  private let after: ClassifiedMemory
  private var differing: [PageClass: UInt64] = [:]

  init(_ pair: ChainPair) throws(CheckpointError) {
    before = try ClassifiedMemory(pair.before)
    after = try ClassifiedMemory(pair.after)
  }

  /// Takes note of pages that differ.
  mutating func add(_ pages: Range<PFN>) {
    for pfn in pages { differing[after.classes[pfn], default: 0] += 1 }
  }

  /// Where most changed first.
  func shares() throws(CheckpointError) -> [Share] {
    let (old, new) = (try before.shares(), try after.shares())
    func change(_ share: Share) -> UInt64 {
      max(share.before, share.after) - min(share.before, share.after)
    }
    return PageClass.allCases.compactMap { kind -> Share? in
      let share = Share(
        name: "\(kind)", before: old[kind]?.pages ?? 0, after: new[kind]?.pages ?? 0,
        differing: differing[kind] ?? 0)
      return share.before + share.after + share.differing == 0 ? nil : share
    }
    .sorted { (change($1), $1.differing, $0.name) < (change($0), $0.differing, $1.name) }
  }

  /// For people.
  static func lines(_ shares: [Share]) -> [String] {
    let head =
      Column.left("classes", 21) + Column.right("change", 12) + Column.right("before", 12)
      + Column.right("after", 12) + "  pages that differ"
    return [head]
      + shares.map { share in
        let kind = PageClass.allCases.first { "\($0)" == share.name }
        return "  " + Column.left(kind?.name ?? share.name, 19) + Column.right(change(share), 12)
          + Column.right(MemorySize.text(pages: share.before), 12)
          + Column.right(MemorySize.text(pages: share.after), 12)
          + Column.right("\(share.differing)", 19)
      }
  }

  private static func change(_ share: Share) -> String {
    if share.after == share.before { return "0" }
    return share.after > share.before
      ? "+" + MemorySize.text(pages: share.after - share.before)
      : "-" + MemorySize.text(pages: share.before - share.after)
  }
}
