#if Xen
import CheckpointCodec
import CheckpointImage
import GuestMemory
import Operations
import Storage
import TestSupport
import Testing

@testable import XenDomain

/// Pages that are left out while the guest runs.
extension LiveSourceTests {
  private static func free(_ options: inout LiveOptions) { options.eviction = .free }

  /// Pages come into use and out of use all the time: those left out are exactly the ones that were free when the
  /// guest was suspended.
  @Test(arguments: 0..<12) func freePagesAreLeftOut(run: Int) throws {
    var random = SplitMix64.forTest("freePagesAreLeftOut(\(run))")
    var habits = ModelHost.Habits(hidesPage: 0)
    habits.uses = [1, 4, 40][Int.random(in: 0..<3, using: &random)]
    habits.writes = [0, 4, 40][Int.random(in: 0..<3, using: &random)]
    habits.hasLog = run % 6 != 1
    habits.losesLog = run % 6 == 2 ? 50 : 0
    let host = ModelHost(pages: Int.random(in: 1...1500, using: &random), habits, random)
    let result = try series(
      of: host,
      {
        $0.eviction = .free
        $0.paused = run % 6 == 3
        if run % 6 == 4 { $0.stageLimit = 100 << 12 }
      }, count: 25)
    #expect(result.error == nil)
    #expect(result.images == 25)
    #expect(result.notEvicted == 0)
    #expect(result.evicted > 0)
    #expect(!result.events.contains { if case .allKept = $0 { true } else { false } })
  }

  /// Whatever goes wrong with that, a page is at worst kept.
  @Test(arguments: 0..<8) func imagesWithPagesLeftOutAreRightWhateverHappens(run: Int) throws {
    let random = SplitMix64.forTest("imagesWithPagesLeftOutAreRightWhateverHappens(\(run))")
    var trouble = ModelHost.Habits(uses: 20)
    trouble.losesLog = 30
    trouble.refuses = 100
    trouble.refusesLog = 300
    trouble.fails = 8
    trouble.ends = 3
    let host = ModelHost(pages: 500, ModelHost.Habits(uses: 20), random)
    let result = try series(of: host, Self.free, count: 40, between: { _ in host.habits = trouble })
    #expect(result.error == nil)
    #expect(result.images == 40)
    #expect(result.evicted > 0)
    #expect(result.leftOut > 0)
  }

  /// Every call of a series fails once, before or after its effect. Where that only keeps pages from being left out,
  /// the series goes on, and says so once.
  @Test(arguments: [false, true]) func everyCallMayFailWithPagesLeftOut(isAfter: Bool) throws {
    let random = SplitMix64.forTest("everyCallMayFailWithPagesLeftOut")
    func host() -> ModelHost {
      ModelHost(pages: 300, ModelHost.Habits(uses: 20, hidesPage: 0), random)
    }
    let whole = host()
    #expect(try series(of: whole, Self.free, count: 3).error == nil)
    var kept = 0
    for call in whole.calls.indices {
      let host = host()
      host.failure = (call, isAfter, CheckpointError(.io, "fails", file: "domain 1"))
      let result = try series(of: host, Self.free, count: 3)
      let name = host.calls[call]
      let times = result.events.count { if case .allKept = $0 { true } else { false } }
      #expect(times <= 1)
      if let error = result.error {
        #expect(error.reason == "fails", "\(call): \(name): \(error)")
        #expect(times == 0)
      } else {
        #expect(result.images == 3, "\(call): \(name)")
        #expect(result.notEvicted == 0 || times == 1, "\(call): \(name)")
        kept += times
      }
      // A PV guest's kernel that was not found is looked for again.
      #expect(name != "classifier" || times == 0)
    }
    #expect(kept > 0)
  }

  @Test func pagesLeftOutAreNotCopied() throws {
    var habits = ModelHost.Habits.quiet
    habits.uses = 1
    let host = ModelHost(pages: 3000, habits, SplitMix64.forTest("pagesLeftOutAreNotCopied"))
    host.habits.uses = 0
    let result = try series(of: host, Self.free, count: 2)
    #expect(result.error == nil)
    #expect(result.notEvicted == 0)
    let contents = host.moment.count { $0.status.state == .data }
    // Besides, the descriptors were read once, and what the log does not know was copied again.
    let others = (host.moment.count + 63) / 64 + host.guest.unlogged.count
    #expect(result.copied[0] <= contents - result.evicted / 2 + others)
    #expect(result.copied[1] <= others)
  }

  @Test func aGuestWhoseDescriptorsHaveNoEndIsKeptWhole() throws {
    let random = SplitMix64.forTest("aGuestWhoseDescriptorsHaveNoEndIsKeptWhole")
    let host = ModelHost(pages: 500, ModelHost.Habits(uses: 20, hidesPage: 0), random)
    let result = try series(
      of: host, Self.free, count: 5, between: { if $0 == 2 { host.habits.isEndless = true } })
    #expect(result.error == nil)
    #expect(result.images == 5)
    #expect(result.evicted > 0 && result.notEvicted > 0)
    #expect(result.events.count { if case .allKept = $0 { true } else { false } } == 1)
  }

  @Test func aGuestThatIsNotRecognisedIsKeptWhole() throws {
    let random = SplitMix64.forTest("aGuestThatIsNotRecognisedIsKeptWhole")
    let host = ModelHost(pages: 500, ModelHost.Habits(), random)
    let result = try series(of: host, Self.free, count: 25)
    #expect(result.error == nil)
    #expect(result.images == 25)
    #expect(result.evicted == 0)
    #expect(result.events.count { if case .allKept = $0 { true } else { false } } == 1)
  }
}
#endif
