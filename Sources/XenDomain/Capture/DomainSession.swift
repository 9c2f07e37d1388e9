#if Xen
internal import CheckpointImage
internal import Interchange

/// One life of a domain, from its start to its end, and what is needed to capture it. A reboot begins another.
final class DomainSession {
  let reference: DomainReference
  let hypervisor: Hypervisor
  let toolstack: Toolstack
  let memory: any GuestMemory
  /// Pages that still have to be copied.
  let pending: PendingPages
  /// Copies them.
  var copier: PageCopier
  /// The dirty log; nil while it is not on.
  private(set) var log: DirtyBitmap?
  /// What changes the guest's state; another after a failure.
  private(set) var control: any DomainControl
  private let tell: (LiveNews) -> Void

  /// Takes a domain in its care; refused while another process captures it.
  init(
    _ reference: DomainReference, _ hypervisor: Hypervisor, _ toolstack: Toolstack,
    tell: @escaping (LiveNews) -> Void
  ) throws(CheckpointError) {
    self.reference = reference
    self.hypervisor = hypervisor
    self.toolstack = toolstack
    self.tell = tell
    guard let state = try hypervisor.domain(reference.id) else { throw .gone(reference.id) }
    // What such a program writes to the guest's memory is in no dirty log, and its own state is needed too.
    guard try !toolstack.hasDeviceModel(reference.id) else {
      throw CheckpointError(
        .unsupported,
        "is an HVM guest with a device model (QEMU), whose state only 'xl save -c' saves: capture the file that it "
          + "writes; or use --memory-only", file: "xen:\(reference.name)")
    }
    memory =
      state.isHVM
      ? HVMMemory(reference.id, hypervisor) : try PVMemory(reference.id, hypervisor)
    control = try Self.guarding(reference, tell)
    copier = PageCopier(memory)
    pending = PendingPages(memory)
  }

  private static func guarding(_ reference: DomainReference, _ tell: (LiveNews) -> Void)
    throws(CheckpointError) -> GuardClient
  {
    let client = try GuardClient(DomainIdentity(id: reference.id, uuid: reference.uuid))
    for line in client.recovered { tell(.recovered(line)) }
    return client
  }

  /// What is known of the domain.
  var fields: [(key: String, value: String)] {
    [
      ("domain.name", reference.name), ("domain.uuid", "\(reference.uuid)"),
      ("guest.type", memory.guest == .pv ? "PV" : "HVM"),
      ("hypervisor", "Xen \(hypervisor.version)"),
    ]
  }

  /// Switches the dirty log on; false if the hypervisor has none for this guest.
  func startLog() throws(CheckpointError) -> Bool {
    guard try control.startDirtyLog() else { return false }
    log = DirtyBitmap(reference.id, hypervisor)
    pending.log = log
    return true
  }

  /// What the domain is doing; fails if it is gone.
  func state() throws(CheckpointError) -> DomainState {
    guard let state = try hypervisor.domain(reference.id), !state.isDying else {
      throw .gone(reference.id)
    }
    return state
  }

  /// Whether the guest will not go on in this life: it has gone, or shut down.
  func isOver() throws(CheckpointError) -> Bool {
    guard let state = try hypervisor.domain(reference.id), !state.isDying,
      state.uuid == reference.uuid
    else { return true }
    return state.shutdown.map { $0 != .suspend } ?? false
  }

  /// Takes the domain in its care again after `close`, as it was before.
  func takeCareAgain() throws(CheckpointError) {
    control = try Self.guarding(reference, tell)
    if log != nil { _ = try startLog() }
  }

  /// Lets the guest go on as it was, whatever was being done to it.
  func close() {
    do throws(CheckpointError) { try control.close() } catch { tell(.notUndone(error)) }
  }
}
#endif
