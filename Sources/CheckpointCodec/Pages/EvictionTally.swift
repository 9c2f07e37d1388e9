package import CheckpointImage

/// Counts what became of the pages that a plan leaves out.
package final class EvictionTally {
  /// Pages that were evicted, by reason.
  package private(set) var pages: [EvictionReason: UInt64] = [:]
  /// Page tables of a PV guest that the plan names, and that were kept.
  package private(set) var pageTables: UInt64 = 0

  /// How many pages of a plan were met.
  package var met: UInt64 { pages.values.reduce(pageTables, +) }

  /// So many pages were counted.
  package init(_ pages: [EvictionReason: UInt64] = [:]) { self.pages = pages }

  /// Evicts a page if that is possible. Returns what becomes of it; nil if it stays as it is.
  package func evict(_ page: PageStatus, _ reason: EvictionReason) -> PageStatus? {
    guard let evicted = page.evicted(reason) else {
      if reason != .none, page.type != 0 { pageTables += 1 }
      return nil
    }
    pages[reason, default: 0] += 1
    return evicted
  }

  /// Why no guest can go on without what was evicted.
  package var obstacles: Set<MomentFacts.Obstacle> {
    Set(pages.keys.filter { !$0.isRestorable }.map { .evicted($0) })
  }

  /// How many pages were evicted, by reason, as the provenance has it.
  package var fields: [(key: String, value: String)] {
    var fields = EvictionReason.allCases.compactMap { reason in
      pages[reason].map { (key: "evict.\(reason)", value: "\($0)") }
    }
    if pageTables > 0 { fields.append(("evict.kept", "\(pageTables) page tables")) }
    return fields
  }
}
