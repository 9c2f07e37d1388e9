#if Xen
internal import Glibc

/// While there is one, this thread has the highest priority: a suspended guest waits for it.
final class PriorityBoost {
  private let before = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)

  init() { set(-20) }
  deinit { set(before) }

  private func set(_ priority: Int32) {
    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, priority)
  }
}
#endif
