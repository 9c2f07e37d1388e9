#if Xen
package import CheckpointCodec
package import CheckpointImage
package import Formats
internal import Glibc
internal import Storage

/// A running domain as a source, of one moment or of many. It follows a guest that reboots.
///
/// Whatever happens, `close` must be called: it puts the guest back as it was.
package final class LiveSource: MomentSeries {
  /// Another program may switch the dirty log off and on again, which cannot be noticed: so one of this many images
  /// compares all pages.
  private static let comparesAllEvery = 20
  /// How long a guest may take to come back.
  private static let patience = Duration.seconds(60)

  /// The order of records is Xen's, that of pages our own.
  package let layoutKind: LayoutKind? = .canonical
  /// Whether this moment has only what was written to since the one before.
  package private(set) var isDifference = false
  /// Whether this moment is the first of a guest that was started again.
  package private(set) var startsOver = false

  private let options: LiveOptions
  private let report: (LiveEvent) -> Void
  private var session: DomainSession
  private var moment: LiveMoment
  /// Complete moments: in all, and in this session.
  private var made = 0
  private var madeInSession = 0
  private var due = ContinuousClock.now
  private var hasBegun = false
  private var hasFailed = false

  /// Finds a domain by name, number or UUID, and prepares its capture. Nothing is done to it yet.
  package convenience init(
    _ name: String, _ options: LiveOptions, report: @escaping (LiveEvent) -> Void
  )
    throws(CheckpointError)
  {
    let hypervisor = try Hypervisor()
    let toolstack = try Toolstack()
    try self.init(
      RunningDomain(
        DomainReference(name, hypervisor, toolstack), hypervisor, toolstack, options.cancellation),
      options, report: report)
  }

  init(_ domain: any LiveDomain, _ options: LiveOptions, report: @escaping (LiveEvent) -> Void)
    throws(CheckpointError)
  {
    session = try DomainSession(domain, options, report: report)
    moment = LiveMoment(session, options, report: report)
    self.options = options
    self.report = report
  }

  /// The name used in messages.
  package var name: String { "xen:\(session.domain.reference.name)" }

  /// What is known of the domain, and of the moment once its last event was taken.
  package var facts: SourceFacts {
    SourceFacts(
      kind: "running Xen domain", architecture: .x86, ascendingUnique: false,
      moment: moment.facts, fields: session.fields + moment.fields)
  }

  /// How much of the pages at hand was copied.
  package var fractionDone: Double? { moment.fractionDone }

  /// Puts the guest back as it was, whatever it was in the middle of.
  package func close() { session.close() }

  /// The next event of this moment.
  package func next() throws(CheckpointError) -> SourceEvent? {
    do throws(CheckpointError) {
      if !hasBegun { try begin() }
      if let event = try moment.next() { return event }
      made += 1
      madeInSession += 1
      return nil
    } catch {
      hasFailed = true
      // The guest may be suspended.
      session.close()
      // Report the cancellation rather than the failure it caused.
      try options.cancellation.check()
      throw error
    }
  }

  private func begin() throws(CheckpointError) {
    if hasFailed { try session.takeCareAgain() }
    if madeInSession == 0, !session.hasLog, options.interval != nil || !options.paused {
      if try !session.startLog() { report(.noDirtyLog) }
    }
    // What a failed moment had copied, or found to have vanished, is not known to its successor.
    let isWhole = madeInSession == 0 || hasFailed || madeInSession % Self.comparesAllEvery == 0
    if isWhole {
      try session.pending.addAll()
      if let obstacle = session.eviction.takeObstacle() { report(.allKept(obstacle)) }
    }
    isDifference = !isWhole && session.hasLog
    hasFailed = false
    hasBegun = true
  }

  /// In a series, a moment that cannot be had is left out.
  package func survives(_ error: CheckpointError) -> Bool {
    guard hasFailed, options.interval != nil, made > 0, error.kind != .interrupted else {
      return false
    }
    report(.leftOut(error))
    return true
  }

  /// Waits until the next image is due; false if there is to be none.
  package func beginNextMoment() throws(CheckpointError) -> Bool {
    guard let interval = options.interval, made < options.count ?? .max else { return false }
    due = max(due + interval, ContinuousClock.now)
    while ContinuousClock.now < due {
      if options.cancellation.isRequested { return false }
      usleep(useconds_t(20_000))
    }
    if try session.domain.isOver() {
      guard try follow() else { return false }
    }
    startsOver = madeInSession == 0
    hasBegun = false
    moment = LiveMoment(session, options, report: report)
    return true
  }

  /// Goes on with the domain of the same UUID that was started after the one that ended; false if there is
  /// none within a minute.
  private func follow() throws(CheckpointError) -> Bool {
    let old = session.domain
    report(.ended(old.reference.name))
    session.close()
    let end = ContinuousClock.now + Self.patience
    var failure: CheckpointError?
    while ContinuousClock.now < end, !options.cancellation.isRequested {
      do throws(CheckpointError) {
        failure = nil
        if let next = try old.successor() {
          session = try DomainSession(next, options, report: report)
          madeInSession = 0
          hasFailed = false
          report(.startedAgain(next.reference.id))
          return true
        }
      } catch {
        // It may have been found half made, or have ended again.
        failure = error
      }
      usleep(useconds_t(100_000))
    }
    if let failure, !options.cancellation.isRequested { throw failure }
    if !options.cancellation.isRequested { report(.notStartedAgain) }
    return false
  }
}
#endif
