#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
internal import GuestMemory
internal import Operations
internal import Storage

/// A domain on this host's hypervisor.
final class RunningDomain: LiveDomain {
  let reference: DomainReference
  let memory: any DomainMemory
  let log: any DirtyLog
  private let hypervisor: Hypervisor
  private let toolstack: Toolstack
  private let cancellation: Cancellation
  /// Found when it is first asked for.
  private var kernel: LinuxGuest?
  /// Why none is found.
  private var kernelObstacle: CheckpointError?

  init(
    _ reference: DomainReference, _ hypervisor: Hypervisor, _ toolstack: Toolstack,
    _ cancellation: Cancellation
  ) throws(CheckpointError) {
    self.reference = reference
    self.hypervisor = hypervisor
    self.toolstack = toolstack
    self.cancellation = cancellation
    guard let state = try hypervisor.domain(reference.id) else { throw .gone(reference.id) }
    // What such a program writes to the guest's memory is in no dirty log, and its own state is needed too.
    guard try !toolstack.hasDeviceModel(reference.id) else {
      throw CheckpointError(
        .unsupported,
        "is an HVM guest with a device model (QEMU), whose state only 'xl save -c' saves: capture the file that it "
          + "writes", file: "xen:\(reference.name)", hint: .captureMemoryOnly)
    }
    memory = try Self.memory(state, hypervisor, cancellation)
    log = DirtyBitmap(reference.id, hypervisor)
  }

  private static func memory(
    _ state: DomainState, _ hypervisor: Hypervisor, _ cancellation: Cancellation
  ) throws(CheckpointError) -> any DomainMemory {
    state.isHVM
      ? HVMMemory(state.id, hypervisor, cancellation) : try PVMemory(state.id, hypervisor)
  }

  var version: String { hypervisor.version }
  var release: (major: UInt32, minor: UInt32) { hypervisor.release }

  func classifier(in memory: any PhysicalMemory) throws(CheckpointError) -> any PageClassifier {
    try LinuxClassifier(in: memory, processors: self.memory.processors)
  }

  func guarded() throws(CheckpointError) -> (control: any DomainControl, recovered: [String]) {
    let client = try GuardClient(reference.identity, cancellation: cancellation)
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

  /// The tables of a PV guest may change while they are read, and name frames that it did not have when its P2M was
  /// read: then all is read again.
  func counters() throws(CheckpointError) -> MemoryCounters {
    if let kernelObstacle { throw kernelObstacle }
    var view = memory
    var obstacle: CheckpointError?
    for attempt in 0..<4 {
      do throws(CheckpointError) {
        if attempt > 0 {
          usleep(100_000)
          view = try anotherView()
          kernel = nil
        }
        let kernel =
          if let kernel { kernel } else {
            try LinuxGuest.find(in: view, MemoryClues(view.processors()))
          }
        self.kernel = kernel
        kernel.refresh()
        return try MemoryCounters(kernel)
      } catch {
        if error.kind == .interrupted { throw error }
        obstacle = CheckpointError(.refused, error.reason)
      }
    }
    kernelObstacle = obstacle
    throw obstacle ?? .gone(reference.id)
  }

  /// The memory as it is now, apart from what is being captured.
  private func anotherView() throws(CheckpointError) -> any DomainMemory {
    guard let state = try hypervisor.domain(reference.id) else { throw .gone(reference.id) }
    let view = try Self.memory(state, hypervisor, cancellation)
    _ = try view.refresh(isStill: false)
    return view
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
    return try RunningDomain(next, hypervisor, toolstack, cancellation)
  }
}
#endif
