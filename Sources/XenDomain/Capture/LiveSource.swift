#if Xen
public import CheckpointCodec
public import CheckpointImage
internal import Glibc
public import Interchange

/// A running domain as a source: its pages are copied while it runs, round after round, until few are left; it
/// is suspended for the last ones only, and goes on before these are compressed and written.
///
/// Whatever happens, `close` must be called: it puts the guest back as it was.
public final class LiveSource: DescribedSource {
  private enum Phase {
    /// Nothing of the moment was read.
    case start
    /// Whether another round is worth it is to be decided.
    case decision
    /// Pages being copied while the guest runs.
    case round([PFN], next: Int)
    /// Pages being copied while the guest is suspended: those up to `end` have no place in memory.
    case still([PFN], next: Int, end: Int)
    /// All was told.
    case end
  }

  /// The name used in messages.
  public let name: String
  /// The order of records is Xen's, that of pages our own.
  public let layoutKind: LayoutKind? = .canonical
  /// Whether only what was written to since the moment before is told.
  public private(set) var isDifference = false

  private let options: LiveOptions
  private let tell: (LiveNews) -> Void
  private let session: DomainSession
  private let pending: PendingPages
  private var hasLog = false
  private var number = 0
  private var began = ContinuousClock.now

  private var phase = Phase.start
  private var events: [CheckpointEvent] = []
  private var nextEvent = 0
  private var copier: PageCopier
  private var policy: RoundPolicy
  private var configuration: [UInt8] = []
  private var rounds: [Int] = []
  private var times = PauseTimes()
  private var lastPages = 0
  private var snapshot: String?
  private var pauseBegan = ContinuousClock.now

  /// Finds a domain by name, number or UUID, and prepares its capture. Nothing is done to it yet.
  public convenience init(
    _ name: String, _ options: LiveOptions, tell: @escaping (LiveNews) -> Void
  ) throws(CheckpointError) {
    let hypervisor = try Hypervisor()
    let toolstack = try Toolstack()
    let reference = try DomainReference(name, hypervisor, toolstack)
    let control = try GuardClient(DomainIdentity(id: reference.id, uuid: reference.uuid))
    for line in control.recovered { tell(.recovered(line)) }
    self.init(
      try DomainSession(reference, hypervisor, toolstack, control: control), options, tell: tell)
  }

  init(_ session: DomainSession, _ options: LiveOptions, tell: @escaping (LiveNews) -> Void) {
    self.session = session
    self.options = options
    self.tell = tell
    name = "xen:\(session.reference.name)"
    pending = PendingPages(session)
    copier = PageCopier(session.memory)
    policy = RoundPolicy(maximumPause: options.maximumPause)
  }

  /// What is known of the domain, and of the moment once its last event was taken.
  public var facts: SourceFacts {
    let reference = session.reference
    var fields = [
      ("domain.name", reference.name), ("domain.uuid", "\(reference.uuid)"),
      ("guest.type", session.memory.guest == .pv ? "PV" : "HVM"),
      ("hypervisor", "Xen \(session.hypervisor.version)"), ("consistency", "atomic"),
    ]
    if case .end = phase {
      fields.append(("live.rounds", rounds.map { "\($0)" }.joined(separator: " ")))
      fields.append(("live.pause.pages", "\(lastPages)"))
      if let snapshot { fields.append(("hook.snapshot", snapshot)) }
      for (part, time) in times.parts { fields.append(("live.pause.\(part)", time.milliseconds)) }
    }
    return SourceFacts(
      kind: "running Xen domain", architecture: .x86, ascendingUnique: false, fields: fields)
  }

  /// How much of the pages at hand was copied.
  public var fractionDone: Double? {
    switch phase {
    case .round(let pages, let next), .still(let pages, let next, _):
      pages.isEmpty ? 1 : Double(next) / Double(pages.count)
    case .start, .decision, .end: nil
    }
  }

  /// Puts the guest back as it was, whatever it was in the middle of.
  public func close() {
    do throws(CheckpointError) { try session.control.close() } catch { tell(.notUndone(error)) }
  }

  /// The next event of this moment.
  public func next() throws(CheckpointError) -> CheckpointEvent? {
    while true {
      if nextEvent < events.count {
        nextEvent += 1
        return events[nextEvent - 1]
      }
      events.removeAll(keepingCapacity: true)
      nextEvent = 0
      switch phase {
      case .start: try start()
      case .decision: try decide()
      case .round(let pages, let next): try goOn(with: pages, from: next)
      case .still(let pages, let next, let end): try finish(pages, from: next, streamingTo: end)
      case .end: return nil
      }
    }
  }

  private func start() throws(CheckpointError) {
    if number == 0 {
      hasLog = try session.startLog()
      if !hasLog { tell(.noDirtyLog) }
      if hasLog { try pending.addAll() }
    }
    configuration = try session.toolstack.configuration(session.reference.id)
    phase = .decision
  }

  private func decide() throws(CheckpointError) {
    guard hasLog, !options.paused else { return try suspend() }
    if let left = try pending.estimate() {
      if let reason = policy.end(left: left, timePerPage: copier.timePerPage) {
        tell(.roundsEnd(reason))
        return try suspend()
      }
    }
    try pending.update(isStill: false)
    noteLoss()
    let pages = pending.takePages()
    if !rounds.isEmpty { events.append(.newPass) }
    rounds.append(pages.count)
    phase = .round(pages, next: 0)
  }

  private func goOn(with pages: [PFN], from next: Int) throws(CheckpointError) {
    guard next < pages.count else {
      tell(.round(number: rounds.count, pages: pages.count))
      phase = .decision
      return
    }
    let end = min(next + PageBuffer.capacity, pages.count)
    var missing: [PFN] = []
    let batch = try copier.copy(pages[next..<end], missing: &missing)
    pending.add(missing)
    if !batch.pages.isEmpty { events.append(.pages(batch)) }
    phase = .round(pages, next: end)
  }

  private func suspend() throws(CheckpointError) {
    let room = Int(clamping: options.stageLimit >> UInt64(Limits.pageShift))
    let all = Int(clamping: try session.state().pages)
    let expected = try pending.estimate() ?? all
    PageBuffer.prepare(min(expected + expected / 4, room) / PageBuffer.capacity + 1)
    // Nothing else in this process is as urgent as to let the guest go on.
    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -20)
    let start = ContinuousClock.now
    try session.control.suspend()
    pauseBegan = ContinuousClock.now
    times = PauseTimes()
    times.handshake = pauseBegan - start
    try pending.update(isStill: true)
    noteLoss()
    let pages = pending.takePages()
    lastPages = pages.count
    if !rounds.isEmpty { events.append(.newPass) }
    if pages.count > room { tell(.stageFull(pages: pages.count - room)) }
    phase = .still(pages, next: 0, end: max(0, pages.count - room))
  }

  /// Copies what is left, of which the pages before `end` go through compression at once.
  private func finish(_ pages: [PFN], from next: Int, streamingTo end: Int) throws(CheckpointError)
  {
    var next = next
    repeat {
      let last = min(next + PageBuffer.capacity, next < end ? end : pages.count)
      if next < last {
        var missing: [PFN] = []
        events.append(.pages(try copier.copy(pages[next..<last], missing: &missing)))
        if let pfn = missing.first {
          throw CheckpointError(
            .io, "page \(pfn) cannot be read though the guest stands still", file: name)
        }
      }
      next = last
      if next < end {
        phase = .still(pages, next: next, end: end)
        return
      }
    } while next < pages.count
    let states = pending.takeStates().map { CheckpointEvent.states($0) }
    let memory = session.memory
    let form = StreamForm(
      guest: memory.guest, xen: session.hypervisor.release, configuration: configuration,
      static: try memory.staticRecords(), sticky: try memory.stickyRecords(),
      epoch: try memory.epochRecords())
    let copied = ContinuousClock.now
    times.copy = copied - pauseBegan
    let outcome = options.hook?.run(for: session.reference)
    let hooked = ContinuousClock.now
    times.hook = hooked - copied
    try session.control.resume()
    times.resume = ContinuousClock.now - hooked
    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 0)
    snapshot = outcome?.problem == nil ? outcome?.output : nil
    if let problem = outcome?.problem { tell(.hookFailed(problem)) }
    tell(.resumed(times, pages: lastPages))
    events += states + form.events
    phase = .end
  }

  private func noteLoss() {
    if pending.takeLoss() { tell(.logLost) }
  }

  /// Waits until the next image is due; false if there is to be none.
  public func beginNextMoment() throws(CheckpointError) -> Bool {
    number += 1
    guard let interval = options.interval, number < options.count ?? .max else { return false }
    let due = began + interval
    while ContinuousClock.now < due {
      if Interruption.received != 0 { return false }
      _ = try session.state()
      usleep(useconds_t(20_000))
    }
    began = max(due, ContinuousClock.now - interval)
    rounds = []
    policy = RoundPolicy(maximumPause: options.maximumPause)
    isDifference = hasLog
    phase = .start
    return true
  }
}
#endif
