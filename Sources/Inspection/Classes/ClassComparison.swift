package import CheckpointChain
package import CheckpointImage
package import GuestMemory

/// The pages of each class in two moments, and the classes of the pages that differ.
package struct ClassComparison {
  /// Pages of one class.
  package struct Share: Sendable {
    /// The class.
    package var pageClass: PageClass
    /// Pages of the class in the first moment.
    package var before: UInt64
    /// Pages of the class in the second moment.
    package var after: UInt64
    /// Pages that differ and are of this class in the second moment.
    package var differing: UInt64

    /// How many more or fewer there are.
    package var change: UInt64 { max(before, after) - min(before, after) }
  }

  private let before: ClassifiedMemory
  private let after: ClassifiedMemory
  private var differing: [PageClass: UInt64] = [:]

  /// Recognises the guest in both moments.
  ///
  /// - Throws: `.refused` if no guest is recognised in one of them.
  package init(_ pair: ChainPair) throws(CheckpointError) {
    before = try ClassifiedMemory(pair.before)
    after = try ClassifiedMemory(pair.after)
  }

  /// Adds pages that differ.
  package mutating func add(_ pages: Range<PFN>) {
    for pfn in pages { differing[after.classes[pfn], default: 0] += 1 }
  }

  /// The classes that occur, those with the largest change first.
  package func shares() throws(CheckpointError) -> [Share] {
    let (old, new) = (try before.shares(), try after.shares())
    return PageClass.allCases.compactMap { kind -> Share? in
      let share = Share(
        pageClass: kind, before: old[kind]?.pages ?? 0, after: new[kind]?.pages ?? 0,
        differing: differing[kind] ?? 0)
      return share.before + share.after + share.differing == 0 ? nil : share
    }
    .sorted { a, b in
      (b.change, b.differing, "\(a.pageClass)") < (a.change, a.differing, "\(b.pageClass)")
    }
  }
}
