internal import CheckpointImage

/// Pages that an export shows as zeros because its format cannot say what they are.
public struct Substitutions: Hashable, Sendable {
  /// Deliberately not saved.
  public var evicted: UInt64 = 0
  /// Not saved because they could not be read.
  public var unreadable: UInt64 = 0
  /// Not there, poisoned, or without defined contents.
  public var unpopulated: UInt64 = 0

  /// None.
  public init() {}

  /// Counts a page.
  mutating func count(_ state: PageState) {
    switch state {
    case .evicted: evicted += 1
    case .unreadable: unreadable += 1
    case .unpopulated, .broken, .allocateOnly: unpopulated += 1
    case .data, .zero, .unchanged: break
    }
  }

  /// Pages of all kinds.
  public var total: UInt64 { evicted + unreadable + unpopulated }
}
