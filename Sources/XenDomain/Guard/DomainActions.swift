#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc

/// Changes the state of a domain, from the process that calls it, and can undo what it did.
///
/// A guard has a journal, in which each change is noted before it is made.
final class DomainActions: DomainControl {
  /// What is not undone yet.
  private(set) var outstanding: Outstanding
  /// How the memory target was changed; nil if it is as it was.
  private(set) var targetChange: TargetChange?
  /// Asked while something is waited for: whether nobody wants the result any more.
  var isAbandoned: () -> Bool = { false }
  /// Seconds that a guest has for answering a request to suspend itself, and again for suspending.
  let patience: Int
  let domain: DomainIdentity
  let hypervisor: Hypervisor
  private let toolstack: Toolstack
  let xenstore: Xenstore
  private let journal: Journal?
  /// A program beside the guest reads and writes its memory; only libxl knows how to resume such a guest.
  private let hasDeviceModel: Bool

  init(_ domain: DomainIdentity, patience: Int = 60, journal: Journal? = nil)
    throws(CheckpointError)
  {
    self.domain = domain
    self.patience = patience
    self.journal = journal
    outstanding = journal?.outstanding ?? []
    targetChange = journal?.target
    hypervisor = try Hypervisor()
    toolstack = try Toolstack()
    xenstore = try Xenstore()
    hasDeviceModel = try toolstack.hasDeviceModel(domain.id)
  }

  // MARK: Log-dirty

  func startDirtyLog() throws(CheckpointError) -> Bool {
    _ = try present()
    // What its device model writes is not in the log.
    if hasDeviceModel { return false }
    try ForeignSave.checkNone(of: domain.id)
    let isOurs = outstanding.contains(.dirtyLog)
    try note(outstanding.union(.dirtyLog))
    switch enableDirtyLog() {
    case 0: return true
    case EINVAL where isOurs: return true
    case let code:
      if !isOurs { try note(outstanding.subtracting(.dirtyLog)) }
      if code == EOPNOTSUPP || code == ENOSYS { return false }
      if code == EINVAL {
        throw refusal(
          "its log-dirty mode is on already (it is being saved or migrated) or cannot be used "
            + "(a PCI device is passed through)", hint: .capturePaused)
      }
      errno = code
      throw hypervisor.failure("switch log-dirty mode on", domain.id)
    }
  }

  func stopDirtyLog() throws(CheckpointError) {
    guard outstanding.contains(.dirtyLog) else { return }
    if try state() != nil {
      do throws(CheckpointError) {
        try ForeignSave.checkNone(of: domain.id)
      } catch {
        throw refusal("\(error.reason); log-dirty mode is switched off when that has ended")
      }
      // Switching off what is off is no error, and others may have switched it: only that it can be
      // switched on proves that it was off.
      disableDirtyLog()
      let code = enableDirtyLog()
      disableDirtyLog()
      if code == EINVAL, try state() != nil {
        throw CheckpointError(
          .io, "log-dirty mode cannot be switched off", file: "domain \(domain.id)")
      }
    }
    try note(outstanding.subtracting(.dirtyLog))
  }

  /// 0, or the error.
  private func enableDirtyLog() -> Int32 {
    let operation = XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY
    return unsafe vmckpt_log_dirty_switch(
      hypervisor.control, domain.id, UInt32(operation)) == 0 ? 0 : errno
  }

  private func disableDirtyLog() {
    unsafe _ = vmckpt_log_dirty_switch(
      hypervisor.control, domain.id, UInt32(XEN_DOMCTL_SHADOW_OP_OFF))
  }

  // MARK: Suspend

  func suspend() throws(CheckpointError) {
    if !outstanding.contains(.suspend) {
      let state = try present()
      if state.shutdown == .suspend {
        throw refusal("is suspended already, by somebody else (xl save, xl migrate?)")
      }
      if let reason = state.shutdown { throw refusal("has shut down (\(reason))") }
      try note(outstanding.union(.suspend))
      // A guest's own node: what somebody else asks of it must not be replaced.
      guard try xenstore.set(requestPath, to: "suspend", if: { ($0 ?? "").isEmpty }) else {
        try note(outstanding.subtracting(.suspend))
        throw refusal("is about to do what somebody else asked of it (its control/shutdown)")
      }
    }
    if try waitUntilSuspended(patience) { return }
    if try cancelRequest() {
      try note(outstanding.subtracting(.suspend))
      if isAbandoned() {
        throw CheckpointError(.interrupted, "stopped before the guest was suspended")
      }
      let isPaused = try present().isPaused
      let cause =
        isPaused ? "it is paused; xl unpause lets it go on" : "it hangs, or lacks PV drivers"
      throw refusal(
        "the guest did not answer the request to suspend itself within \(patience) s, and the request "
          + "was withdrawn: \(cause)", hint: isPaused ? nil : .captureMemoryOnly)
    }
    if try waitUntilSuspended(patience) { return }
    throw CheckpointError(
      .io,
      "the guest took the request to suspend itself, but has not done so within \(patience) s; "
        + "as soon as it does, it is resumed", file: "domain \(domain.id)")
  }

  func resume() throws(CheckpointError) {
    guard outstanding.contains(.suspend) else { throw refusal("was not suspended by this program") }
    let state = try present()
    guard state.shutdown == .suspend else {
      try note(outstanding.subtracting(.suspend))
      throw refusal("somebody else has resumed the guest meanwhile")
    }
    if hasDeviceModel {
      let code = unsafe libxl_domain_resume(toolstack.context, domain.id, 1, nil)
      guard code == 0 else { throw toolstack.failure("resume", code, domain.id) }
    } else {
      // What libxl does, without what it finds out first: the guest is waiting.
      guard unsafe xc_domain_resume(hypervisor.control, domain.id, 1) == 0 else {
        throw hypervisor.failure("resume", domain.id)
      }
      xenstore.noteResume(domain.id)
    }
    try note(outstanding.subtracting(.suspend))
  }

  private var requestPath: String { "/local/domain/\(domain.id)/control/shutdown" }

  /// Whether the guest has suspended itself; false when time is up, or nobody waits any more.
  private func waitUntilSuspended(_ seconds: Int) throws(CheckpointError) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      let state = try present()
      if state.shutdown == .suspend {
        isSuspended = true
        return true
      }
      if let reason = state.shutdown {
        try note(outstanding.subtracting(.suspend))
        throw refusal("the guest shut down (\(reason)) instead of suspending itself")
      }
      if ContinuousClock.now >= end || isAbandoned() { return false }
      usleep(1000)
    }
  }

  /// Whether the guest had not taken the request yet, and now never will.
  private func cancelRequest() throws(CheckpointError) -> Bool {
    try xenstore.set(requestPath, to: "", if: { $0 == "suspend" })
  }

  // MARK: Pause

  func pause() throws(CheckpointError) {
    _ = try present()
    guard !outstanding.contains(.pause) else { throw refusal("is paused by this program already") }
    try note(outstanding.union(.pause))
    // The hypervisor counts: who else paused it is not disturbed.
    guard unsafe xc_domain_pause(hypervisor.control, domain.id) == 0 else {
      let error = hypervisor.failure("pause", domain.id)
      try note(outstanding.subtracting(.pause))
      throw error
    }
  }

  func unpause() throws(CheckpointError) {
    guard outstanding.contains(.pause) else { throw refusal("was not paused by this program") }
    let state = try present()
    // Somebody who unpaused it took our count away.
    if state.isPaused, unsafe xc_domain_unpause(hypervisor.control, domain.id) != 0 {
      throw hypervisor.failure("unpause", domain.id)
    }
    try note(outstanding.subtracting(.pause))
  }

  // MARK: Undoing

  /// Undoes what is outstanding, but for the monitor. Throws the first failure; what failed is still outstanding.
  ///
  /// - Parameters:
  ///   - seconds: how long a guest that took a request to suspend itself is waited for.
  ///   - isFinal: one that has not done so by then has dropped it, as Linux does after 20 s.
  func undo(waiting seconds: Int, isFinal: Bool) throws(CheckpointError) {
    var failure: CheckpointError?
    func attempt(_ part: Outstanding, _ work: () throws(CheckpointError) -> Void) {
      guard outstanding.contains(part) else { return }
      do throws(CheckpointError) {
        try work()
      } catch {
        // Otherwise the domain went away, or others undid it.
        if outstanding.contains(part) { failure = failure ?? error }
      }
    }
    attempt(.target, raiseTarget)
    attempt(.pause, unpause)
    attempt(.suspend) { () throws(CheckpointError) in
      try undoSuspend(waiting: seconds, isFinal: isFinal)
    }
    attempt(.dirtyLog, stopDirtyLog)
    attempt(.target, awaitMemory)
    if let failure { throw failure }
  }

  private func undoSuspend(waiting seconds: Int, isFinal: Bool) throws(CheckpointError) {
    if try present().shutdown != .suspend, try cancelRequest() {
      try note(outstanding.subtracting(.suspend))
      return
    }
    isAbandoned = { false }
    if try waitUntilSuspended(seconds) {
      try resume()
    } else if isFinal {
      try note(outstanding.subtracting(.suspend))
    } else {
      throw CheckpointError(
        .io,
        "the guest took a request to suspend itself and has not done so within \(seconds) s; "
          + "as soon as it does, it is resumed", file: "domain \(domain.id)")
    }
  }

  /// Whether the guest took a request to suspend itself and has not done so.
  var mayStillSuspend: Bool { outstanding.contains(.suspend) && !isSuspended }
  private var isSuspended = false

  /// Whether a guest that took a request to suspend itself, but too late, has now suspended: then it is
  /// resumed.
  func resumeLateComer() throws(CheckpointError) {
    guard mayStillSuspend, try present().shutdown == .suspend else { return }
    try resume()
  }

  func close() throws(CheckpointError) { try undo(waiting: patience, isFinal: true) }

  // MARK: The domain

  /// Its name; nil if it has gone.
  var name: String? { toolstack.name(of: domain.id) }

  /// The domain's state; nil if it has gone, or another has its number.
  func state() throws(CheckpointError) -> DomainState? {
    guard let state = try hypervisor.domain(domain.id), state.uuid == domain.uuid, !state.isDying
    else { return nil }
    return state
  }

  /// The state of a domain that is there; of one that has gone, nothing is left to undo.
  func present() throws(CheckpointError) -> DomainState {
    if let state = try state() { return state }
    try note([])
    throw .gone(domain.id)
  }

  func note(_ new: Outstanding) throws(CheckpointError) {
    try note(new, new.contains(.target) ? targetChange : nil)
  }

  /// Notes what is outstanding with a change of the memory target.
  func note(_ new: Outstanding, _ change: TargetChange?) throws(CheckpointError) {
    if new == outstanding, change == targetChange { return }
    try journal?.record(new, target: change)
    outstanding = new
    targetChange = change
    if !new.contains(.suspend) { isSuspended = false }
  }

  func refusal(_ reason: String, hint: Hint? = nil) -> CheckpointError {
    CheckpointError(.refused, reason, file: "domain \(domain.id)", hint: hint)
  }
}
#endif
