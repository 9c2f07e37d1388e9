/// What is known of a page (Spec, "Page states and types"); every page of an image has exactly one state.
public enum PageState: UInt8, CaseIterable, Sendable {
  /// The guest has no page there.
  case unpopulated = 0
  /// The contents are stored.
  case data = 1
  /// The page holds only zero bytes.
  case zero = 2
  /// As in the parent; only in increments.
  case unchanged = 3
  /// Deliberately not saved, for a recorded reason.
  case evicted = 4
  /// To be allocated on restore, contents undefined (Xen's XALLOC).
  case allocateOnly = 5
  /// Poisoned by a hardware error (Xen's BROKEN).
  case broken = 6
  /// It should have been saved but could not be read.
  case unreadable = 7
}

/// Why a page was evicted (Spec, "Page states and types").
public enum EvictionReason: UInt8, CaseIterable, Sendable {
  case none = 0
  case free = 1
  case balloon = 2
  case cleanPageCache = 3
  case privateCache = 4
  case user = 5
  case listed = 6

  /// Whether the guest can go on with zeros in the place of such a page.
  public var isRestorable: Bool { self == .free || self == .balloon }
}

/// The type of a Xen PV page: 0 ordinary, 1 to 4 page table of that level, 9 to 12 the same, pinned.
package typealias PageType = UInt8

/// State, type and reason of a page: all that is known of it besides its contents.
package struct PageStatus: Hashable, Sendable {
  /// What is known of the page.
  package var state: PageState
  /// The PV page type; 0 for all other guests.
  package var type: PageType
  /// Why it was evicted; `none` in every other state.
  package var reason: EvictionReason

  /// Whether two statuses are equal; inlinable, because it is asked of every page.
  @inlinable
  package static func == (one: PageStatus, other: PageStatus) -> Bool {
    one.state == other.state && one.type == other.type && one.reason == other.reason
  }

  /// A status; the default is that of a page no image mentions.
  package init(_ state: PageState, type: PageType = 0, reason: EvictionReason = .none) {
    self.state = state
    self.type = type
    self.reason = reason
  }

  /// Whether type and reason fit the state.
  package var isValid: Bool {
    guard Self.isValid(type: type), (reason != .none) == (state == .evicted) else { return false }
    switch state {
    case .data, .zero, .evicted, .unreadable: return true
    case .unpopulated, .unchanged, .allocateOnly, .broken: return type == 0
    }
  }

  /// Whether a PV page type exists.
  package static func isValid(type: PageType) -> Bool { type <= 4 || (9...12).contains(type) }

  /// What becomes of the page if it is not to be saved for a reason; nil if it stays as it is: without
  /// contents there is nothing to leave out, and a page that a PV guest uses as a page table is never evicted.
  package func evicted(_ reason: EvictionReason) -> PageStatus? {
    guard reason != .none, state.hasContents, type == 0 else { return nil }
    return PageStatus(.evicted, reason: reason)
  }

  /// State and type in one byte, as index blocks hold them: state in bits 0 to 3, type in 4 to 7.
  var packed: UInt8 { state.rawValue | type << 4 }
}
