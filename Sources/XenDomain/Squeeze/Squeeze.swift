#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
internal import GuestMemory
internal import Storage

/// Has a guest give up memory before it is captured, and makes sure that it is never short of it. Whatever happens, the
/// guard gives it back.
final class Squeeze {
  /// What was given up, and how long that took.
  struct Outcome: Sendable {
    /// Pages of the guest before.
    let from: UInt64
    /// And after.
    let to: UInt64
    let time: Duration
    let end: SqueezeEnd

    /// What provenance says of it.
    var fields: [(key: String, value: String)] {
      [
        ("squeeze.from", "\(from) pages"), ("squeeze.to", "\(to) pages"),
        ("squeeze.time", time.milliseconds), ("squeeze.end", end.rawValue),
      ]
    }
  }

  /// How often a guest is looked at that is squeezed.
  private static let interval = Duration.milliseconds(500)

  private let domain: any SqueezableDomain
  private let control: any DomainControl
  private let cancellation: Cancellation
  private let pages: UInt64
  private let target: UInt64
  private var policy: SqueezePolicy
  private var lastLook = ContinuousClock.now
  private(set) var isOver = false

  /// Nothing is done to the guest yet.
  init(
    _ domain: any SqueezableDomain, _ control: any DomainControl, _ goal: SqueezeGoal,
    _ cancellation: Cancellation
  ) throws(CheckpointError) {
    self.domain = domain
    self.control = control
    self.cancellation = cancellation
    pages = try domain.pageCount()
    target = try domain.memoryTarget()
    if case .bytes(let bytes) = goal {
      policy = SqueezePolicy(pages: pages, goal: bytes >> UInt64(Limits.pageShift))
    } else {
      policy = SqueezePolicy(pages: pages, goal: nil)
    }
    do throws(CheckpointError) {
      _ = policy.pressure(try domain.counters())
    } catch {
      guard error.kind == .refused else { throw error }
      if goal == .auto {
        throw CheckpointError(
          .refused,
          "what the guest could do without is not known (\(error.reason))",
          file: "xen:\(domain.reference.name)", hint: .giveSqueezeSize)
      }
    }
  }

  /// What the guest's kernel counts; nil if that cannot be read.
  private func counters() throws(CheckpointError) -> MemoryCounters? {
    do throws(CheckpointError) {
      return try domain.counters()
    } catch {
      guard error.kind == .refused else { throw error }
      return nil
    }
  }

  /// Squeezes the guest as far as it goes.
  func run() throws(CheckpointError) -> Outcome {
    let start = ContinuousClock.now
    var end: SqueezeEnd?
    while end == nil { end = try step() }
    lastLook = .now
    return Outcome(
      from: pages, to: try domain.pageCount(), time: lastLook - start, end: end ?? .reached)
  }

  /// Looks, if it is time to, whether a squeezed guest has come to need more; then it gets all back, and the result
  /// is the reason.
  func look() throws(CheckpointError) -> SqueezeEnd? {
    guard !isOver, ContinuousClock.now >= lastLook + Self.interval else { return nil }
    lastLook = .now
    guard let end = policy.pressure(try counters()) else { return nil }
    try release()
    return end
  }

  /// Gives back what was given up.
  func release() throws(CheckpointError) {
    guard !isOver else { return }
    isOver = true
    try control.raiseTarget()
  }

  /// Asks for more; why no more can be had, if so.
  private func step() throws(CheckpointError) -> SqueezeEnd? {
    try cancellation.check()
    var step = policy.next(pages: try domain.pageCount(), counters: try counters())
    if case .lower(let goal) = step {
      try ask(for: goal)
      do throws(CheckpointError) {
        if try isReached(goal) { return nil }
      } catch {
        guard error.kind == .refused else { throw error }
        try release()
        return .hostShort
      }
      step = policy.stalled(pages: try domain.pageCount())
    }
    switch step {
    case .easeOff(let goal, let end):
      try ask(for: goal)
      return end
    case .end(let end): return end
    case .lower: return nil
    }
  }

  private func ask(for goal: UInt64) throws(CheckpointError) {
    let less = (pages - min(goal, pages)) &* 4
    try control.setTarget(target > less ? target - less : 0)
  }

  /// Whether the guest goes down so far before it stops giving up memory. What it gives up is kept for it.
  private func isReached(_ goal: UInt64) throws(CheckpointError) -> Bool {
    var pages = try domain.pageCount()
    var least = UInt64.max
    var patience = SqueezePatience(pages: pages, goal: goal, now: .now)
    while patience.lasts(pages: pages, now: .now) {
      try cancellation.check()
      pages = try domain.pageCount()
      if pages < least {
        least = pages
        try control.keepReleased()
      }
      if pages <= goal { return true }
      usleep(20_000)
    }
    return false
  }
}
#endif
