internal import CheckpointImage

/// Pages whose contents are not known: an export leaves them out, or shows them as zeros if its format cannot say
/// what they are.
public struct Substitutions: Hashable, Sendable {
  /// Deliberately not saved.
  public var evicted: UInt64 = 0
  /// Not saved because they could not be read.
  public var unreadable: UInt64 = 0
  /// Not there, poisoned, or without defined contents.
  public var unpopulated: UInt64 = 0

  /// None.
  public init() {}

  /// Counts pages.
  mutating func count(_ state: PageState, _ pages: UInt64 = 1) {
    switch state {
    case .evicted: evicted += pages
    case .unreadable: unreadable += pages
    case .unpopulated, .broken, .allocateOnly: unpopulated += pages
    case .data, .zero, .unchanged: break
    }
  }

  /// Pages of all kinds.
  public var total: UInt64 { evicted + unreadable + unpopulated }
}
