#if Xen
import CheckpointImage

@testable import XenDomain

/// Changes a made-up guest's state, and undoes at its end what is outstanding.
final class ModelControl: DomainControl {
  private(set) var hasLog = false
  private(set) var isClosed = false
  /// The memory target to be given back.
  private var original: UInt64?
  private let guest: SimulatedGuest
  private unowned let host: ModelHost

  init(_ guest: SimulatedGuest, _ host: ModelHost) {
    self.guest = guest
    self.host = host
  }

  private func begin(_ call: String) throws(CheckpointError) {
    if isClosed { throw CheckpointError(.refused, "is not guarded any more") }
    try guest.begin(call)
  }

  func startDirtyLog() throws(CheckpointError) -> Bool {
    try begin("startDirtyLog")
    guard host.habits.hasLog else { return false }
    if host.happens(host.habits.refusesLog) {
      throw CheckpointError(.refused, "its log-dirty mode is on already")
    }
    host.check(!hasLog, "switched the log on twice")
    hasLog = true
    guest.startLog()
    try host.end()
    return true
  }

  func stopDirtyLog() throws(CheckpointError) {
    try begin("stopDirtyLog")
    hasLog = false
    guest.stopLog()
  }

  func suspend() throws(CheckpointError) {
    try begin("suspend")
    try guest.suspend()
    try host.end()
  }

  func resume() throws(CheckpointError) {
    try begin("resume")
    guest.resume()
    try host.end()
  }

  func setTarget(_ target: UInt64) throws(CheckpointError) {
    try begin("setTarget")
    let before = original ?? guest.target
    original = before
    host.check(target <= before, "asked the guest to take more than it had")
    guest.balloon(to: target)
    try host.end()
  }

  func keepReleased() throws(CheckpointError) {
    try begin("keepReleased")
    try host.end()
  }

  func raiseTarget() throws(CheckpointError) {
    try begin("raiseTarget")
    if let original { guest.balloon(to: original) }
    original = nil
    try host.end()
  }

  func pause() throws(CheckpointError) { host.check(false, "paused") }
  func unpause() throws(CheckpointError) { host.check(false, "unpaused") }

  func close() throws(CheckpointError) {
    if isClosed { return }
    isClosed = true
    hasLog = false
    guest.stopLog()
    if let original { guest.balloon(to: original) }
    if guest.isSuspended { guest.resume() }
    // A guard that could not undo something goes on trying.
    try host.begin("close")
  }
}
#endif
