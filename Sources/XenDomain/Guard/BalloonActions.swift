#if Xen
internal import CXen
internal import CheckpointImage
internal import Glibc

/// Having a guest's balloon driver give up memory, and take it back. Only what is asked of the guest changes: no limit
/// of the hypervisor does, and the memory is kept for the guest.
extension DomainActions {
  /// After so long without progress, a guest that takes memory back is not waited for any longer.
  private static let patience = Duration.seconds(5)

  func setTarget(_ target: UInt64) throws(CheckpointError) {
    let state = try present()
    var change: TargetChange
    if let targetChange {
      change = targetChange
    } else {
      try BalloonManager.checkNone(of: domain.id, xenstore)
      change = TargetChange(original: try currentTarget(), pages: state.pages)
    }
    guard target <= change.original else {
      throw refusal("its memory target is to be \(target) KiB, and was \(change.original) KiB")
    }
    change = change.moved(to: target)
    try note(outstanding.union(.target), change)
    try write(change)
  }

  func keepReleased() throws(CheckpointError) {
    let state = try present()
    guard let targetChange else { return }
    // A claim does not grow: it is made anew. What is claimed is what the domain shall have in all.
    dropClaim()
    guard state.pages < targetChange.pages else { return }
    guard
      unsafe xc_domain_claim_pages(hypervisor.control, domain.id, UInt(targetChange.pages)) == 0
    else {
      if errno == ENOMEM {
        throw refusal(
          "others take the memory that it gives up: the host has too little to spare")
      }
      throw hypervisor.failure("keep the memory that it gave up", domain.id)
    }
  }

  func raiseTarget() throws(CheckpointError) {
    _ = try present()
    guard let targetChange else { return }
    let change = targetChange.moved(to: targetChange.original)
    try note(outstanding, change)
    try write(change)
  }

  /// Waits until the guest has taken back what it gave up, and does not wait for one that takes nothing.
  func awaitMemory() throws(CheckpointError) {
    try raiseTarget()
    var pages: UInt64 = 0
    var end = ContinuousClock.now + Self.patience
    while true {
      let state = try present()
      if state.pages > pages {
        pages = state.pages
        end = ContinuousClock.now + Self.patience
      }
      if state.pages >= targetChange?.pages ?? 0 || ContinuousClock.now >= end { break }
      usleep(20_000)
    }
    try finishTarget()
  }

  /// Whether the guest is to get back what it gave up, and has not taken all of it yet.
  var isTakingMemory: Bool { targetChange?.isBack == true }

  /// Notes that the guest has all its memory again, if it has.
  func noteMemoryTaken() throws(CheckpointError) {
    guard isTakingMemory, let targetChange, try present().pages >= targetChange.pages else {
      return
    }
    try finishTarget()
  }

  private func finishTarget() throws(CheckpointError) {
    dropClaim()
    try note(outstanding.subtracting(.target))
  }

  /// Writes what was noted, unless somebody else has written meanwhile: their value stays.
  private func write(_ change: TargetChange) throws(CheckpointError) {
    let isWritten = try xenstore.set(
      Xenstore.memoryTarget(domain.id), to: "\(change.last)", if: change.isOurs)
    if isWritten { return try note(outstanding, change.written()) }
    try finishTarget()
    throw refusal("somebody else has changed its memory target (xl mem-set?), which is left so")
  }

  private func currentTarget() throws(CheckpointError) -> UInt64 {
    guard let target = try xenstore.value(Xenstore.memoryTarget(domain.id)).flatMap({ UInt64($0) })
    else { throw refusal("has no memory target in xenstore, and cannot be asked for memory") }
    return target
  }

  private func dropClaim() { unsafe _ = xc_domain_claim_pages(hypervisor.control, domain.id, 0) }
}
#endif
