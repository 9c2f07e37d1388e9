#if Xen
internal import CheckpointImage
internal import Glibc

/// Keeps a domain supplied with a monitor if it had one: the process that `xl create` leaves behind, which on
/// Xen 4.17 ends when the guest suspends itself for the first time.
final class MonitorCare {
  /// How long after a suspend xl's process may take to end.
  private static let patience = Duration.seconds(2)
  private let actions: DomainActions
  private let name: String?
  private var isKnown = false
  /// When the guest ran again after that suspend.
  private var resumed: ContinuousClock.Instant?

  init(_ actions: DomainActions) {
    self.actions = actions
    name = actions.name
  }

  /// The guest is about to be suspended.
  func prepare() throws(CheckpointError) {
    if isKnown { return }
    if hasMonitor { try actions.note(actions.outstanding.union(.monitor)) }
    isKnown = true
  }

  /// The guest runs again, or never stopped.
  func guestRuns() { resumed = resumed ?? .now }

  /// Whether a monitor may have to be left behind.
  var isNeeded: Bool { actions.outstanding.contains(.monitor) && resumed != nil }

  /// Leaves a monitor of ours if xl's has ended.
  func tend() throws(CheckpointError) {
    guard isNeeded, let resumed else { return }
    if !hasMonitor {
      try DomainMonitor.leave(actions.domain.id, name: name ?? "")
    } else if ContinuousClock.now < resumed + Self.patience {
      return
    }
    try actions.note(actions.outstanding.subtracting(.monitor))
  }

  /// Waits until the domain has a monitor again.
  func finish() throws(CheckpointError) {
    guestRuns()
    while isNeeded {
      try tend()
      if isNeeded { usleep(20_000) }
    }
  }

  private var hasMonitor: Bool { name.map(XLMonitor.exists) ?? false }
}
#endif
