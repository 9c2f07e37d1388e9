internal import CheckpointImage

/// Counts pages that an export does not contain as they were: they are left out, or written as zeros where the
/// format cannot leave out pages.
package struct OmittedPages: Hashable, Sendable {
  /// Evicted pages.
  package var evicted: UInt64 = 0
  /// Pages that could not be read when they were captured.
  package var unreadable: UInt64 = 0
  /// Pages that are unpopulated, broken, or without defined contents.
  package var unpopulated: UInt64 = 0
  /// Pages left out by the requested dump level although their contents are known.
  package var excluded: UInt64 = 0
  /// Pages beyond the memory that the guest's kernel describes, although their contents are known.
  package var undescribed: UInt64 = 0

  /// No pages.
  package init() {}

  /// Counts pages in a state other than data and zero.
  mutating func count(_ state: PageState, _ pages: UInt64 = 1) {
    switch state {
    case .evicted: evicted += pages
    case .unreadable: unreadable += pages
    case .unpopulated, .broken, .allocateOnly: unpopulated += pages
    case .data, .zero, .unchanged: break
    }
  }

  /// The pages with unknown contents.
  package var unknown: UInt64 { evicted + unreadable + unpopulated }
}
