#if Xen
import GuestMemory
import TestSupport
import Testing

@testable import XenDomain

/// A guest that is squeezed keeps what it needs.
@Suite struct SqueezePolicyTests {
  /// One that gives up a page now and then is waited for no longer than one that gives up nothing, or hardly.
  @Test func aGuestThatGivesUpHardlyAnythingIsNotWaitedFor() {
    let start = ContinuousClock.now
    func waits(pages: UInt64, perSecond: UInt64) -> Int {
      var patience = SqueezePatience(pages: pages, goal: pages / 2, now: start)
      var seconds = 0
      while seconds < 100_000,
        patience.lasts(
          pages: max(pages / 2, pages - min(pages, UInt64(seconds) * perSecond)),
          now: start + .seconds(seconds))
      { seconds += 1 }
      return seconds
    }
    #expect(waits(pages: 1 << 20, perSecond: 0) == 5)
    #expect(waits(pages: 1 << 20, perSecond: 1) == 5)
    // At most sixteen times as long; one that goes on is waited for to the end.
    #expect(waits(pages: 1 << 20, perSecond: 7000) > (1 << 19) / 7000)
    #expect(waits(pages: 1 << 20, perSecond: 7000) < 16 * 5 + 5)
    #expect(waits(pages: 3, perSecond: 1) > 1)
  }

  /// Squeezes guests of all sizes that do as they are asked, and now and then take some memory for themselves.
  @Test func guestsKeepWhatTheyNeed() {
    var random = SplitMix64.forTest("SqueezePolicyTests")
    for _ in 0..<500 {
      let all = UInt64.random(in: 1...1 << 24, using: &random)
      let needed = UInt64.random(in: 0...all, using: &random)
      let goal = Bool.random(using: &random) ? nil : UInt64.random(in: 0...all, using: &random)
      var policy = SqueezePolicy(pages: all, goal: goal)
      var pages = all
      var steps = 0
      var end: SqueezeEnd?
      while end == nil, steps < 100 {
        let spare = MemoryCounters(
          free: (pages - needed) / 2, cleanCache: (pages - needed + 1) / 2, swapRoom: 0)
        switch policy.next(pages: pages, counters: spare) {
        case .lower(let to):
          #expect(to < pages)
          #expect(to >= needed + policy.floor)
          #expect(to >= goal ?? 0)
          pages = to
        case .easeOff(let to, let why):
          #expect(to >= pages && to <= all)
          #expect(why == .short)
          end = why
        case .end(let why): end = why
        }
        steps += 1
      }
      #expect(end != nil, "it goes on after \(steps) steps")
    }
  }

  @Test func stepsBackAtTheFirstSignOfPressure() {
    var policy = SqueezePolicy(pages: 1 << 17, goal: nil)
    let plenty = MemoryCounters(free: 50_000, cleanCache: 50_000, swapRoom: 1000)
    #expect(policy.next(pages: 1 << 17, counters: plenty) == .lower(to: 7 << 14))
    var swapping = plenty
    swapping.swapRoom = 900
    #expect(policy.next(pages: 7 << 14, counters: swapping) == .easeOff(to: 1 << 17, .swaps))
    policy = SqueezePolicy(pages: 1 << 17, goal: nil)
    let little = MemoryCounters(free: 1000, cleanCache: 1000, swapRoom: 0)
    #expect(policy.next(pages: 40_000, counters: little) == .easeOff(to: 40_000 + 1 << 14, .short))
    #expect(policy.pressure(little) == .short)
    #expect(policy.stalled(pages: 1 << 17) == .easeOff(to: 1 << 17, .nothingGiven))
    #expect(policy.stalled(pages: 40_000) == .easeOff(to: 44_096, .stalled))
  }

  @Test func aGuestThatTellsNoMoreIsNotSqueezedBlindly() {
    var policy = SqueezePolicy(pages: 1 << 17, goal: nil)
    let plenty = MemoryCounters(free: 50_000, cleanCache: 50_000, swapRoom: 0)
    #expect(policy.next(pages: 1 << 17, counters: plenty) == .lower(to: 7 << 14))
    #expect(policy.next(pages: 7 << 14, counters: nil) == .easeOff(to: 1 << 17, .silent))
    #expect(policy.pressure(nil) == .silent)
  }

  @Test func aGuestThatDoesNotTellGoesDownToTheSizeAskedFor() {
    var policy = SqueezePolicy(pages: 100_000, goal: 90_000)
    #expect(policy.next(pages: 100_000, counters: nil) == .lower(to: 90_000))
    #expect(policy.next(pages: 90_000, counters: nil) == .end(.reached))
  }
}

/// What a journal holds of a memory target.
@Suite struct TargetChangeTests {
  @Test func survivesAJournal() {
    let change = TargetChange(original: 524_288, pages: 131_080).moved(to: 300_000).moved(
      to: 200_000)
    #expect(TargetChange(words: change.words) == change)
    #expect(TargetChange(words: []) == nil)
    #expect(TargetChange(words: ["1", "2", "3", "x"]) == nil)
    #expect(TargetChange(words: ["1", "2", "3", "4", "5"]) == nil)
  }

  @Test func knowsWhatOthersWrote() {
    let change = TargetChange(original: 500, pages: 130).moved(to: 400).written().moved(to: 300)
    // Killed between the note and the write, or after it.
    #expect(change.isOurs("400"))
    #expect(change.isOurs("300"))
    // What was noted and could not be written is none's.
    #expect(change.moved(to: 200).isOurs("400"))
    #expect(!change.moved(to: 200).isOurs("300"))
    for others in ["350", "500", "", "300x", "-300"] { #expect(!change.isOurs(others)) }
    #expect(!change.isOurs(nil))
    #expect(!change.isBack)
    #expect(!change.moved(to: 500).isBack)
    #expect(change.moved(to: 500).written().isBack)
  }
}

/// Programs that move memory between guests.
@Suite struct BalloonManagerTests {
  @Test(
    arguments: [
      (["/usr/sbin/squeezed"], "squeezed"), (["/usr/bin/python3", "/usr/bin/qmemmand"], "qmemman"),
      (["/usr/bin/qubes-qmemman"], "qmemman"), (["vi", "/tmp/notes-on-squeezed"], nil),
      (["/usr/bin/xl", "list"], nil), ([], nil),
    ] as [([String], String?)])
  func isRecognised(_ words: [String], _ name: String?) {
    #expect(BalloonManager.program(words) == name)
  }
}
#endif
