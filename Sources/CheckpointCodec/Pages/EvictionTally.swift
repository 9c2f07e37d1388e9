public import CheckpointImage

/// Counts what became of the pages of a plan.
public final class EvictionTally {
  /// Pages that were left out, by reason.
  public private(set) var pages: [EvictionReason: UInt64] = [:]
  /// Page tables of a PV guest that the plan names: they are never left out.
  public private(set) var pageTables: UInt64 = 0

  /// Nothing was counted.
  public init() {}

  /// The status a page has once a plan was followed: evicted if it has contents and the plan gives a reason,
  /// else what it was. A page of a PV guest that has a type is never evicted.
  public func status(of page: PageStatus, _ reason: EvictionReason) -> PageStatus {
    guard reason != .none, page.state.hasContents else { return page }
    guard page.type == 0 else {
      pageTables += 1
      return page
    }
    pages[reason, default: 0] += 1
    return PageStatus(.evicted, reason: reason)
  }
}
