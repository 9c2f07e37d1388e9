#if Xen
package import CheckpointCodec
package import CheckpointImage
package import Formats
internal import Glibc
internal import GuestMemory
internal import Storage

/// A running, paused or crashed domain as a source for analysts: its pages and vCPUs as they are, without any
/// help of the guest. No guest can go on from such a moment.
///
/// Whatever happens, `close` must be called: it lets a guest go on that was paused for this.
package final class MemoryOnlySource: MomentSeries {
  private enum Phase {
    /// Nothing of the moment was read.
    case start
    /// Pages being copied; those before `end` have no place in memory.
    case copying([PFN], next: Int, end: Int)
    /// All events were given.
    case end
  }

  /// The name used in messages.
  package let name: String
  /// There is no stream that this could be written as.
  package let layoutKind: LayoutKind? = LayoutKind.none
  /// False: every moment has all pages, as no log says which were written to.
  package let isDifference = false

  private let options: LiveOptions
  private let report: (LiveEvent) -> Void
  private let reference: DomainReference
  private let hypervisor: Hypervisor
  private let memory: any ObservedMemory
  private let eviction: LiveEviction
  /// Only there if the guest is to be paused.
  private let control: (any DomainControl)?

  private var phase = Phase.start
  private var events = EventQueue<SourceEvent>()
  /// The PFNs that have a page, or had one in a moment before.
  private var known = PFNBitmap(limit: 0)
  private var copier: PageCopier
  private var missing: [PFN] = []
  /// What the guest did before this began.
  private var activity: String
  private var timeRun: UInt64 = 0
  /// When the pages began to be read.
  private var moment = ""
  private var isAtomic = false
  private var times = PauseTimes()
  private var pauseBegan = ContinuousClock.now
  private var evicted: [(key: String, value: String)] = []
  /// Pages that were not kept in memory while the guest was paused.
  private var unstaged = 0
  private var number = 0
  private var began = ContinuousClock.now

  /// Finds a domain by name, number or UUID, and prepares its capture. Nothing is done to it yet.
  package init(
    _ name: String, _ options: LiveOptions, report: @escaping (LiveEvent) -> Void
  ) throws(CheckpointError) {
    self.options = options
    self.report = report
    hypervisor = try Hypervisor()
    reference = try DomainReference(name, hypervisor, Toolstack())
    self.name = "xen:\(reference.name)"
    let state = try Self.state(reference, hypervisor)
    activity = state.activity
    memory =
      state.isHVM
      ? HVMMemory(reference.id, hypervisor, options.cancellation)
      : try OwnedMemory(reference.id, hypervisor, options.cancellation)
    copier = PageCopier(memory)
    let memory = memory
    eviction = LiveEviction(options.eviction, memory, options.cancellation) {
      (bounded) throws(CheckpointError) in
      try LinuxClassifier(in: bounded, processors: memory.machineState)
    }
    guard options.paused else {
      control = nil
      return
    }
    let control = try GuardClient(
      reference.identity, cancellation: options.cancellation)
    for line in control.recovered { report(.recovered(line)) }
    self.control = control
  }

  /// What is known of the domain, and of the moment once its last event was taken.
  package var facts: SourceFacts {
    var facts = MomentFacts()
    facts.guestID = "\(reference.uuid)"
    facts.guestType = memory.guest == .pv ? .pv : .hvm
    facts.obstacles = [.notSuspended]
    var fields = [
      ("domain.name", reference.name), ("domain.state", activity),
      ("hypervisor", "Xen \(hypervisor.version)"),
    ]
    if case .end = phase {
      facts.consistency = isAtomic ? .atomic : .smeared
      facts.time = MomentFacts.Time(moment, control == nil ? .began : .suspended)
      fields += memory.findings + evicted
      if control != nil {
        for (part, time) in times.parts { fields.append(("live.pause.\(part)", time.milliseconds)) }
      }
    }
    return SourceFacts(
      kind: "memory of a running Xen domain", architecture: .x86, ascendingUnique: false,
      moment: facts, fields: fields)
  }

  /// How much of the pages was copied.
  package var fractionDone: Double? {
    guard case .copying(let pages, let next, _) = phase else { return nil }
    return pages.isEmpty ? 1 : Double(next) / Double(pages.count)
  }

  /// Lets a guest go on that was paused for this.
  package func close() {
    do throws(CheckpointError) { try control?.close() } catch { report(.notUndone(error)) }
  }

  /// The next event of this moment.
  package func next() throws(CheckpointError) -> SourceEvent? {
    do throws(CheckpointError) {
      return try nextOfMoment()
    } catch {
      // Report the cancellation rather than the failure it caused.
      try options.cancellation.check()
      throw error
    }
  }

  private func nextOfMoment() throws(CheckpointError) -> SourceEvent? {
    while true {
      if let event = events.take() { return event }
      switch phase {
      case .start: try start()
      case .copying(let pages, let next, let end): try goOn(with: pages, from: next, until: end)
      case .end: return nil
      }
    }
  }

  private func start() throws(CheckpointError) {
    // A paused guest must not wait until its pages are compressed.
    let room = control == nil ? 0 : Int(clamping: options.stageLimit >> UInt64(Limits.pageShift))
    activity = try Self.state(reference, hypervisor).activity
    if let control {
      // What is known before need not be found out in the pause.
      try look(isStill: false)
      try eviction.begin()
      copier.prepare(min(known.count, room) / PageBuffer.capacity + 1)
      let start = ContinuousClock.now
      try control.pause()
      pauseBegan = ContinuousClock.now
      times = PauseTimes()
      times.handshake = pauseBegan - start
    }
    moment = UTCTime.now
    timeRun = try Self.state(reference, hypervisor).timeRun
    try look(isStill: control != nil)
    let looked = ContinuousClock.now
    if control == nil {
      try eviction.begin()
    } else {
      _ = try eviction.update(written: nil, needed: nil)
    }
    times.classify = ContinuousClock.now - looked
    var pages: [PFN] = []
    var states: [StateExtent] = []
    for pfn in known.members {
      let status = eviction.status(pfn)
      switch status.state {
      case .data: pages.append(pfn)
      case .unpopulated: break
      default: states.add(pfn, status)
      }
    }
    events.append(contentsOf: states.map { .states($0) })
    missing = []
    let end = max(0, pages.count - room)
    unstaged = control == nil ? 0 : end
    phase = .copying(pages, next: 0, end: end)
  }

  private func look(isStill: Bool) throws(CheckpointError) {
    known.formUnion(try memory.refresh(isStill: isStill))
  }

  /// Copies pages; those from `end` on at once, before anything else is done with them.
  private func goOn(
    with pages: [PFN], from next: Int, until end: Int
  ) throws(CheckpointError) {
    var next = next
    while next < pages.count {
      try options.cancellation.check()
      let last = min(next + PageBuffer.capacity, next < end ? end : pages.count)
      try copy(pages[next..<last])
      next = last
      if next < end {
        phase = .copying(pages, next: next, end: end)
        return
      }
    }
    try finish(pages.count)
  }

  private func copy(_ pfns: ArraySlice<PFN>) throws(CheckpointError) {
    let batch = try copier.copy(pfns, missing: &missing)
    if !batch.pages.isEmpty { events.append(.pages(batch)) }
  }

  private func finish(_ count: Int) throws(CheckpointError) {
    let lost = try retry()
    let records = try memory.machineState()
    let hasRun = try Self.state(reference, hypervisor).timeRun != timeRun
    if let control {
      let copied = ContinuousClock.now
      times.copy = copied - pauseBegan - times.classify
      try control.unpause()
      times.resume = ContinuousClock.now - copied
      report(.resumed(times, pages: count))
      // Nothing is reported in the pause: whoever gets the report may be slow.
      if unstaged > 0 { report(.stageFull(pages: unstaged)) }
      if hasRun { report(.hasRun) }
    }
    if let obstacle = eviction.takeObstacle() { report(.allKept(obstacle)) }
    evicted = eviction.fields
    let counts = eviction.counts
    if !counts.isEmpty { report(.evicted(counts)) }
    isAtomic = control != nil && !hasRun
    if !lost.isEmpty { report(.unreadable(pages: lost.reduce(0) { $0 + Int($1.count) })) }
    events.append(contentsOf: lost.map { .states($0) })
    events.append(contentsOf: ([domainHeader] + records).map { .record($0) })
    phase = .end
  }

  /// Tries again what could not be had: a running guest may have given those pages back, or moved them. The
  /// result is what became of them.
  private func retry() throws(CheckpointError) -> [StateExtent] {
    if missing.isEmpty { return [] }
    let pages = missing
    missing = []
    try look(isStill: control != nil)
    var states: [StateExtent] = []
    let left = pages.filter { memory.status($0).state == .data }
    for start in stride(from: 0, to: left.count, by: PageBuffer.capacity) {
      try copy(left[start..<min(start + PageBuffer.capacity, left.count)])
    }
    for pfn in missing { states.add(pfn, PageStatus(.unreadable)) }
    return states
  }

  /// Says of what kind of guest the records are, as there is no stream around them.
  private var domainHeader: MachineRecord {
    .domainHeader(memory.guest, hypervisor.release)
  }

  private static func state(_ reference: DomainReference, _ hypervisor: Hypervisor)
    throws(CheckpointError) -> DomainState
  {
    guard let state = try hypervisor.domain(reference.id), !state.isDying,
      state.uuid == reference.uuid
    else { throw .gone(reference.id) }
    return state
  }

  /// Waits until the next image is due; false if there is to be none.
  package func beginNextMoment() throws(CheckpointError) -> Bool {
    number += 1
    guard let interval = options.interval, number < options.count ?? .max else { return false }
    let due = began + interval
    while ContinuousClock.now < due {
      if options.cancellation.isRequested { return false }
      _ = try Self.state(reference, hypervisor)
      usleep(20_000)
    }
    began = max(due, ContinuousClock.now - interval)
    phase = .start
    return true
  }
}
#endif
