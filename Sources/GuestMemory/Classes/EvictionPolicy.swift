package import CheckpointImage

/// Which classes of pages are not saved.
package enum EvictionPolicy: Int, CaseIterable, Sendable {
  /// All are saved.
  case none
  /// Not what the guest does not use: after a restore it finds zeros there, and cannot tell.
  case free
  /// Nor what it could read again from its disks. It would not do so after a restore: only for analysis.
  case cache
  /// Nor other file contents and the memory of processes: the kernel alone is left.
  case user

  /// Why a page of this class is not saved; `none` if it is.
  package func reason(_ class: PageClass) -> EvictionReason {
    switch `class` {
    case .free where self >= .free: .free
    case .balloon where self >= .free: .balloon
    case .cacheClean where self >= .cache: .cleanPageCache
    case .privateCache where self >= .user: .privateCache
    case .cacheDirty where self >= .user, .cacheMapped where self >= .user,
      .sharedMemory where self >= .user, .anonymous where self >= .user:
      .user
    default: .none
    }
  }
}

extension EvictionPolicy: Comparable {
  /// A policy that saves fewer pages is the greater one.
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
