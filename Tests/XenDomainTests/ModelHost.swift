#if Xen
import CheckpointImage
import TestSupport

@testable import XenDomain

/// A made-up host with one guest on it, and what both may do by chance. It takes note of all that a capture
/// must not do.
final class ModelHost {
  /// What the guest, its host and other programs do, in the time between two calls.
  struct Habits {
    /// Pages written to, at most.
    var writes = 4
    /// Pages whose PV type changes, at most.
    var types = 1
    /// Pages that appear or vanish, at most.
    var balloon = 1
    /// Pages that come into use or out of use, at most; none if the guest cannot be looked into.
    var uses = 0
    /// There is no end to what must be read to find out which pages are in use.
    var isEndless = false
    // The others are chances, of 1000.
    /// The guest gets pages behind its last one.
    var grows = 5
    /// A page cannot be had for now.
    var hidesPage = 5
    /// Somebody switches the dirty log off.
    var losesLog = 0
    /// A request to suspend is not answered.
    var refuses = 0
    /// The dirty log cannot be had, for somebody else has switched it on.
    var refusesLog = 0
    /// A call fails, before it has an effect or after.
    var fails = 0
    /// The guest shuts down and is started again.
    var ends = 0
    /// The hypervisor has a dirty log for this guest.
    var hasLog = true

    static let quiet = Habits(writes: 0, types: 0, balloon: 0, grows: 0, hidesPage: 0)
  }

  var habits: Habits
  /// The guest as it runs now.
  private(set) lazy var guest = SimulatedGuest(self, id: 1, pages: pages)
  /// The guest's pages when it last suspended itself.
  private(set) var moment: [SimulatedGuest.Page] = []
  /// How many times it did.
  private(set) var moments = 0
  /// All calls, in their order.
  private(set) var calls: [String] = []
  /// Pages copied.
  var copied = 0
  /// What was done that must not be.
  private(set) var problems: [String] = []
  /// The call of this number, from 0, fails: before it has an effect, or after.
  var failure: (call: Int, isAfter: Bool, error: CheckpointError)?
  private var random: SplitMix64
  private let pages: Int

  init(pages: Int, _ habits: Habits, _ random: SplitMix64) {
    self.habits = habits
    self.random = random
    self.pages = pages
  }

  func startAgain() -> SimulatedGuest {
    guest = SimulatedGuest(self, id: guest.reference.id + 1, pages: guest.pages.count)
    return guest
  }

  func suspended() {
    moment = guest.pages
    moments += 1
  }

  func check(_ holds: Bool, _ problem: String) {
    if !holds { problems.append("\(problem) (call \(calls.count - 1), moment \(moments))") }
  }

  func begin(_ call: String) throws(CheckpointError) {
    calls.append(call)
    if let failure, !failure.isAfter, failure.call == calls.count - 1 { throw failure.error }
    // Whether the guest is over is asked between two images: a hypervisor that does not say ends the series.
    if call != "isOver" { try failByChance() }
  }

  /// The end of the call that was begun last.
  func end() throws(CheckpointError) {
    if let failure, failure.isAfter, failure.call == calls.count - 1 { throw failure.error }
    try failByChance()
  }

  private func failByChance() throws(CheckpointError) {
    if happens(habits.fails) { throw CheckpointError(.io, "fails", file: "domain") }
  }

  // MARK: Chance

  func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
  func happens(_ chance: Int) -> Bool { chance > 0 && below(1000) < chance }
  func number() -> UInt64 { random.next() }
}
#endif
