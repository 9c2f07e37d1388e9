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

  /// What the provenance says of it: what was evicted, and whether a guest could go on without that.
  package var fields: [(key: String, value: String)] {
    let reasons = EvictionReason.allCases.filter { pages[$0] != nil }
    var fields = reasons.map { (key: "evict.\($0)", value: "\(pages[$0] ?? 0)") }
    if pageTables > 0 { fields.append(("evict.kept", "\(pageTables) page tables")) }
    let missed = reasons.filter { !$0.isRestorable }.map { "\($0)" }.sorted()
    if !missed.isEmpty {
      fields.append(("restorable", "no"))
      fields.append(("restorable.reason", "evicted: " + missed.joined(separator: ", ")))
    }
    return fields
  }

  /// Adds that to the provenance.
  package func describe(in provenance: inout Provenance) {
    for (key, value) in fields where key != "restorable" || provenance[key] == nil {
      provenance.add(key, value)
    }
  }
}
