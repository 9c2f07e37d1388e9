/// How a page of one moment differs from the same page of another.
package struct PageChange: Hashable, Sendable {
  /// What happened to the page.
  package enum Kind: Int, CaseIterable, Sendable {
    /// State, type or reason changed; as far as both contents are known, they are the same.
    case status
    /// The contents, which are known for both moments, differ.
    case contents
    /// The guest had no page there.
    case came
    /// The guest has no page there any more.
    case went
  }

  /// What the page was.
  package var before: PageStatus
  /// What the page is.
  package var after: PageStatus
  /// Whether the contents differ; only if they are known for both moments, as of data and zero pages.
  package var contentsDiffer: Bool

  /// The change from one entry to another; nil if both mean the same memory.
  package init?(_ before: PageEntry, _ after: PageEntry) {
    guard !before.sameMemory(as: after) else { return nil }
    self.before = before.status
    self.after = after.status
    // A zero page has no digest, so it differs from every data page.
    contentsDiffer =
      before.status.state.hasContents && after.status.state.hasContents
      && before.digest != after.digest
  }

  /// What happened to the page.
  package var kind: Kind {
    if before.state == .unpopulated { return .came }
    if after.state == .unpopulated { return .went }
    return contentsDiffer ? .contents : .status
  }
}

extension PageState {
  /// Whether all bytes of a page are known.
  package var hasContents: Bool { self == .data || self == .zero }
}
