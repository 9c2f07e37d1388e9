#if Xen
internal import CheckpointImage
internal import Interchange

/// One life of a domain, from its creation to its end, and what is needed to capture it. A reboot begins
/// another.
final class DomainSession {
  let reference: DomainReference
  let hypervisor: Hypervisor
  let toolstack: Toolstack
  let memory: any GuestMemory
  let control: any DomainControl
  /// The dirty log; nil while it is not on.
  private(set) var log: DirtyBitmap?

  init(
    _ reference: DomainReference, _ hypervisor: Hypervisor, _ toolstack: Toolstack,
    control: any DomainControl
  ) throws(CheckpointError) {
    self.reference = reference
    self.hypervisor = hypervisor
    self.toolstack = toolstack
    self.control = control
    guard let state = try hypervisor.domain(reference.id) else { throw .gone(reference.id) }
    memory =
      state.isHVM
      ? HVMMemory(reference.id, hypervisor) : try PVMemory(reference.id, hypervisor)
  }

  /// Switches the dirty log on; false if the hypervisor has none for this guest.
  func startLog() throws(CheckpointError) -> Bool {
    guard try control.startDirtyLog() else { return false }
    log = DirtyBitmap(reference.id, hypervisor)
    return true
  }

  /// What the domain is doing; fails if it is gone.
  func state() throws(CheckpointError) -> DomainState {
    guard let state = try hypervisor.domain(reference.id), !state.isDying else {
      throw .gone(reference.id)
    }
    return state
  }
}
#endif
