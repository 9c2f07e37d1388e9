#if Xen
internal import Glibc

/// Sees to it that a domain keeps the monitor it had: the process that `xl create` leaves behind, which on
/// Xen 4.17 ends when the guest suspends itself for the first time.
final class MonitorCare {
  /// How long after a suspend xl's process may take to end.
  private static let patience = Duration.seconds(2)
  private let domain: DomainIdentity
  private let name: String?
  private enum Stage { case unknown, watched, suspended(ContinuousClock.Instant), done }
  private var stage = Stage.unknown

  init(_ domain: DomainIdentity, name: String?) {
    self.domain = domain
    self.name = name
  }

  /// The guest is about to be suspended.
  func prepare() {
    guard case .unknown = stage else { return }
    stage = hasMonitor ? .watched : .done
  }

  /// The guest runs again, or never stopped.
  func guestRuns() {
    if case .watched = stage { stage = .suspended(.now + Self.patience) }
  }

  /// Whether there is something to be seen to.
  var isNeeded: Bool { if case .suspended = stage { true } else { false } }

  /// Leaves a monitor of ours if xl's has ended.
  func tend() {
    guard case .suspended(let end) = stage else { return }
    if !hasMonitor {
      try? DomainMonitor.leave(domain.id, name: name ?? "")
      stage = .done
    } else if ContinuousClock.now >= end {
      stage = .done
    }
  }

  private var hasMonitor: Bool { name.map(XLMonitor.exists) ?? false }
}
#endif
