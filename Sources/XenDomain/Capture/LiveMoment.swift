#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Glibc
internal import Storage

/// The capture of one moment of a running domain: rounds of copying while the guest runs, then its suspension for
/// what is left, and the events of all of it.
final class LiveMoment {
  private enum Phase {
    /// Nothing was done yet.
    case start
    /// Whether another round is worth it is to be decided.
    case decision
    /// Pages being copied while the guest runs.
    case round([PFN], next: Int)
    /// Pages being copied while the guest is suspended: those up to `end` have no place in memory.
    case still([PFN], next: Int, end: Int)
    /// All events were given.
    case end
  }

  private let session: DomainSession
  private let options: LiveOptions
  private let report: (LiveEvent) -> Void
  private var phase = Phase.start
  private var events = EventQueue<SourceEvent>()
  private var policy: RoundPolicy
  private var configuration: [UInt8] = []
  private var machineState: [SourceEvent] = []
  private var rounds: [CopyRound] = []
  private var roundBegan = ContinuousClock.now
  private var pauseBegan = ContinuousClock.now
  private var times = PauseTimes()
  private var pagesInPause = 0
  private var suspended = ""
  private var snapshot: String?
  private var evicted: [(key: String, value: String)] = []
  private var obstacles: Set<MomentFacts.Obstacle> = []
  private var boost: PriorityBoost?
  private var squeeze: Squeeze?
  private var squeezed: Squeeze.Outcome?
  /// What happened while the guest was suspended. It is reported when the guest runs again: whoever gets the report
  /// may be slow.
  private var deferredReports: [LiveEvent] = []

  /// Prepares to capture the present of a session; nothing is done yet.
  init(_ session: DomainSession, _ options: LiveOptions, report: @escaping (LiveEvent) -> Void) {
    self.session = session
    self.options = options
    self.report = report
    policy = RoundPolicy(maximumPause: options.maximumPause)
  }

  /// What is known once the last event was taken.
  var fields: [(key: String, value: String)] {
    guard case .end = phase else { return [] }
    let disks = (try? DomainConfiguration(configuration, file: ""))?.disks ?? []
    var fields: [(key: String, value: String)] = []
    if !disks.isEmpty { fields.append(("domain.disks", disks.joined(separator: ", "))) }
    for (index, round) in rounds.enumerated() {
      let text = "\(round.pages) pages, \(round.bytes) bytes, \(round.time.milliseconds)"
      fields.append(("live.round.\(index + 1)", text))
    }
    fields.append(("live.pause.pages", "\(pagesInPause)"))
    for (part, time) in times.parts { fields.append(("live.pause.\(part)", time.milliseconds)) }
    fields += evicted
    if let squeezed { fields += squeezed.fields }
    return fields
  }

  /// Whose moment it is, and once the last event was taken, when it was.
  var facts: MomentFacts {
    var facts = session.facts
    facts.consistency = .atomic
    guard case .end = phase else { return facts }
    facts.time = MomentFacts.Time(suspended, .suspended)
    facts.diskSnapshot = snapshot
    facts.obstacles = obstacles
    return facts
  }

  /// How much of the pages at hand was copied.
  var fractionDone: Double? {
    switch phase {
    case .round(let pages, let next), .still(let pages, let next, _):
      pages.isEmpty ? 1 : Double(next) / Double(pages.count)
    case .start, .decision, .end: nil
    }
  }

  /// The next event; nil behind the last.
  func next() throws(CheckpointError) -> SourceEvent? {
    while true {
      if let event = events.take() { return event }
      switch phase {
      case .start: try start()
      case .decision: try decide()
      case .round(let pages, let next): try goOn(with: pages, from: next)
      case .still(let pages, let next, let end): try finish(pages, from: next, streamingTo: end)
      case .end: return nil
      }
    }
  }

  private var pending: PendingPages { session.pending }

  private func start() throws(CheckpointError) {
    // With the memory target that the guest is to have when it is restored.
    configuration = try session.domain.configuration()
    if let goal = options.squeeze { try squeeze(goal) }
    phase = .decision
  }

  private func squeeze(_ goal: SqueezeGoal) throws(CheckpointError) {
    let squeeze = try Squeeze(session.domain, session.control, goal, options.cancellation)
    self.squeeze = squeeze
    let outcome = try squeeze.run()
    squeezed = outcome
    report(.squeezed(from: outcome.from, to: outcome.to, outcome.time, outcome.end))
  }

  /// Makes sure that a squeezed guest is not short of memory while it is copied.
  private func lookAfterGuest() throws(CheckpointError) {
    if let end = try squeeze?.look() { report(.squeezeEnds(end)) }
  }

  private func decide() throws(CheckpointError) {
    try lookAfterGuest()
    guard session.hasLog, !options.paused else { return try suspend() }
    if let left = try pending.estimate(),
      let reason = policy.end(left: left, timePerPage: session.copier.timePerPage)
    {
      report(.roundsEnd(reason))
      return try suspend()
    }
    try pending.update(isStill: false)
    if pending.takeLoss() { report(.logLost) }
    try pending.classify()
    if let obstacle = session.eviction.takeObstacle() { report(.allKept(obstacle)) }
    let pages = pending.takePages()
    if !rounds.isEmpty { events.append(.newPass) }
    roundBegan = ContinuousClock.now
    phase = .round(pages, next: 0)
  }

  private func goOn(with pages: [PFN], from next: Int) throws(CheckpointError) {
    guard next < pages.count else {
      let round = CopyRound(pages: pages.count, time: ContinuousClock.now - roundBegan)
      rounds.append(round)
      report(.round(number: rounds.count, round))
      phase = .decision
      return
    }
    try lookAfterGuest()
    let end = min(next + PageBuffer.capacity, pages.count)
    var missing: [PFN] = []
    let batch = try session.copier.copy(pages[next..<end], missing: &missing)
    pending.add(missing)
    if !batch.pages.isEmpty { events.append(.pages(batch)) }
    phase = .round(pages, next: end)
  }

  private func suspend() throws(CheckpointError) {
    let room = Int(clamping: options.stageLimit >> UInt64(Limits.pageShift))
    let all = Int(clamping: try session.domain.pageCount())
    let expected = try pending.estimate() ?? all
    session.copier.prepare(min(expected + expected / 4, room) / PageBuffer.capacity + 1)
    boost = PriorityBoost()
    let start = ContinuousClock.now
    try session.control.suspend()
    pauseBegan = ContinuousClock.now
    suspended = UTCTime.now
    times.handshake = pauseBegan - start
    try pending.update(isStill: true)
    if pending.takeLoss() { deferredReports.append(.logLost) }
    let records = try readMachineState()
    let read = ContinuousClock.now
    try pending.classify(needed: session.eviction.isOn ? try neededPages(records) : nil)
    times.classify = ContinuousClock.now - read
    if let obstacle = session.eviction.takeObstacle() { deferredReports.append(.allKept(obstacle)) }
    let pages = pending.takePages()
    pagesInPause = pages.count
    if !rounds.isEmpty { events.append(.newPass) }
    if pages.count > room { deferredReports.append(.stageFull(pages: pages.count - room)) }
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
        events.append(.pages(try session.copier.copy(pages[next..<last], missing: &missing)))
        if let pfn = missing.first {
          throw CheckpointError(
            .io, "page \(pfn) cannot be read though the guest is suspended",
            file: "xen:\(session.domain.reference.name)")
        }
      }
      next = last
      if next < end {
        phase = .still(pages, next: next, end: end)
        return
      }
    } while next < pages.count
    try resume()
    // The states of pages are those found while the guest was suspended.
    events.append(contentsOf: pending.takeStates().map { .states($0) })
    events.append(contentsOf: machineState)
    phase = .end
  }

  /// The result is its records that are of this guest alone.
  private func readMachineState() throws(CheckpointError) -> [MachineRecord] {
    let memory = session.domain.memory
    let sticky = try memory.stickyRecords()
    let epoch = try memory.epochRecords()
    machineState =
      StreamForm(
        guest: memory.guest, xen: session.domain.release, configuration: configuration,
        static: try memory.staticRecords(), sticky: sticky, epoch: epoch
      ).events
    return sticky + epoch
  }

  /// The pages that are kept whatever the guest says that it uses them for: those that a restore or others write to.
  private func neededPages(_ records: [MachineRecord]) throws(CheckpointError) -> PFNBitmap {
    let memory = session.domain.memory
    var needed = PFNBitmap(limit: memory.limit)
    for pfn in try memory.unloggedPages() + memory.grantedPages() { needed.insert(pfn) }
    for pfn in try ProtectedPages.pfns(records, in: nil) where pfn < memory.limit {
      needed.insert(pfn)
    }
    return needed
  }

  private func resume() throws(CheckpointError) {
    let copied = ContinuousClock.now
    times.copy = copied - pauseBegan - times.classify
    let outcome = options.hook?.run(
      for: session.domain.reference, until: options.cancellation)
    let hooked = ContinuousClock.now
    times.hook = hooked - copied
    try session.control.resume()
    times.resume = ContinuousClock.now - hooked
    boost = nil
    do throws(CheckpointError) {
      try squeeze?.release()
    } catch {
      deferredReports.append(.notUndone(error))
    }
    deferredReports.forEach(report)
    if let outcome {
      if let problem = outcome.problem {
        report(.hookFailed(problem))
      } else {
        snapshot = outcome.output
      }
    }
    report(.resumed(times, pages: pagesInPause))
    evicted = session.eviction.fields
    obstacles = session.eviction.tally.obstacles
    let counts = session.eviction.counts
    if !counts.isEmpty { report(.evicted(counts)) }
  }
}
#endif
