#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import GuestMemory

/// A domain on this host's hypervisor.
final class RunningDomain: LiveDomain {
  let reference: DomainReference
  let memory: any DomainMemory
  let log: any DirtyLog
  private let hypervisor: Hypervisor
  private let toolstack: Toolstack
  /// Found when it is first asked for.
  private var guestKernel: LinuxGuest?

  init(_ reference: DomainReference, _ hypervisor: Hypervisor, _ toolstack: Toolstack)
    throws(CheckpointError)
  {
    self.reference = reference
    self.hypervisor = hypervisor
    self.toolstack = toolstack
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
    log = DirtyBitmap(reference.id, hypervisor)
  }

  var version: String { hypervisor.version }
  var release: (major: UInt32, minor: UInt32) { hypervisor.release }

  func classifier(in memory: any PhysicalMemory) throws(CheckpointError) -> any PageClassifier {
    try LinuxClassifier(in: memory, processors: self.memory.processors)
  }

  func guarded() throws(CheckpointError) -> (control: any DomainControl, recovered: [String]) {
    let client = try GuardClient(DomainIdentity(id: reference.id, uuid: reference.uuid))
    return (client, client.recovered)
  }

  func configuration() throws(CheckpointError) -> [UInt8] {
    try toolstack.configuration(reference.id)
  }

  func memoryTarget() throws(CheckpointError) -> UInt64 {
    let path = Xenstore.memoryTarget(reference.id)
    guard let target = try Xenstore().value(path).flatMap({ UInt64($0) }) else {
      throw CheckpointError(
        .refused, "has no memory target in xenstore: its memory cannot be squeezed",
        file: "xen:\(reference.name)")
    }
    return target
  }

  func counters() throws(CheckpointError) -> MemoryCounters? {
    do throws(CheckpointError) {
      let guest: LinuxGuest
      if let guestKernel {
        guest = guestKernel
      } else {
        guest = try LinuxGuest.find(in: memory, MemoryClues(memory.processors()))
        guestKernel = guest
      }
      guest.refresh()
      return try MemoryCounters(guest)
    } catch {
      if error.kind == .interrupted { throw error }
      return nil
    }
  }

  func pageCount() throws(CheckpointError) -> UInt64 {
    guard let state = try hypervisor.domain(reference.id), !state.isDying else {
      throw .gone(reference.id)
    }
    return state.pages
  }

  func isOver() throws(CheckpointError) -> Bool {
    guard let state = try hypervisor.domain(reference.id), !state.isDying,
      state.uuid == reference.uuid
    else { return true }
    return state.shutdown.map { $0 != .suspend } ?? false
  }

  func successor() throws(CheckpointError) -> (any LiveDomain)? {
    guard let id = try hypervisor.domain(of: reference.uuid), id != reference.id,
      let next = try? DomainReference("\(id)", hypervisor, toolstack)
    else { return nil }
    return try RunningDomain(next, hypervisor, toolstack)
  }
}
#endif
