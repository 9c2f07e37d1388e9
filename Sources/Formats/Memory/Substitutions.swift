internal import CheckpointImage

/// Pages that are not in an export as they were. Those whose contents are not known are left out, or shown as zeros if
/// the format cannot say what they are.
package struct Substitutions: Hashable, Sendable {
  /// Deliberately not saved.
  package var evicted: UInt64 = 0
  /// Not saved because they could not be read.
  package var unreadable: UInt64 = 0
  /// Not there, poisoned, or without defined contents.
  package var unpopulated: UInt64 = 0
  /// Known, and left out by the level that was asked for.
  package var excluded: UInt64 = 0
  /// Known, and behind the memory that the guest's kernel describes.
  package var undescribed: UInt64 = 0

  /// None.
  package init() {}

  /// Counts pages.
  mutating func count(_ state: PageState, _ pages: UInt64 = 1) {
    switch state {
    case .evicted: evicted += pages
    case .unreadable: unreadable += pages
    case .unpopulated, .broken, .allocateOnly: unpopulated += pages
    case .data, .zero, .unchanged: break
    }
  }

  /// Pages whose contents are not known, of all kinds.
  package var unknown: UInt64 { evicted + unreadable + unpopulated }
}
