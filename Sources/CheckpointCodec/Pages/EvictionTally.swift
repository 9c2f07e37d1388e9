public import CheckpointImage

/// Counts what became of the pages that a plan leaves out.
public final class EvictionTally {
  /// Pages that were evicted, by reason.
  public private(set) var pages: [EvictionReason: UInt64] = [:]
  /// Page tables of a PV guest that the plan names, and that were kept.
  public private(set) var pageTables: UInt64 = 0

  /// Nothing was counted.
  public init() {}

  /// Evicts a page if that is possible. Returns what becomes of it; nil if it stays as it is.
  public func evict(_ page: PageStatus, _ reason: EvictionReason) -> PageStatus? {
    guard let evicted = page.evicted(reason) else {
      if reason != .none, page.type != 0 { pageTables += 1 }
      return nil
    }
    pages[reason, default: 0] += 1
    return evicted
  }

  /// Adds to the provenance what was evicted, and whether a guest could go on without it.
  public func describe(in provenance: inout Provenance) {
    for reason in EvictionReason.allCases {
      if let count = pages[reason] { provenance.add("evict.\(reason)", "\(count)") }
    }
    if pageTables > 0 { provenance.add("evict.kept", "\(pageTables) page tables") }
    let missed = pages.keys.filter { !$0.isRestorable }.map { "\($0)" }.sorted()
    guard !missed.isEmpty else { return }
    if provenance["restorable"] == nil { provenance.add("restorable", "no") }
    provenance.add("restorable.reason", "evicted: " + missed.joined(separator: ", "))
  }
}
