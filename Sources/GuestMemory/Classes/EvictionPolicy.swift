package import CheckpointImage

/// Which classes of pages an image leaves out.
package enum EvictionPolicy: Int, CaseIterable, Sendable {
  /// Everything is saved.
  case none
  /// Unused pages are left out. After a restore the guest finds zeros there, which makes no difference to it.
  case free
  /// So are contents that the guest could read again from its disks. It would not do so after a restore, so
  /// this is only for analysis.
  case cache
  /// So are other file contents and the memory of processes: only the kernel is left.
  case user

  /// Why a page of this class is left out; `none` if it is saved.
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
  /// A policy that saves fewer pages is greater.
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
