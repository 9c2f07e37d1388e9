#if Xen
import TestSupport
import Testing

@testable import XenDomain

/// Copying while the guest runs comes to an end.
@Suite struct RoundPolicyTests {
  @Test func everySequenceEnds() {
    var random = SplitMix64.forTest("RoundPolicyTests")
    for _ in 0..<500 {
      var policy = RoundPolicy(maximumPause: .milliseconds(Int.random(in: 0...200, using: &random)))
      var left = Int.random(in: 0...1 << 40, using: &random)
      var rounds = 0
      while policy.end(left: left, timePerPage: .microseconds(3)) == nil {
        rounds += 1
        // Mostly the best case, in which every round seems to be worth it.
        left =
          Int.random(in: 0..<10, using: &random) == 0
          ? Int.random(in: 0...1 << 40, using: &random) : left / 2
      }
      #expect(rounds <= 8)
    }
  }

  @Test func saysWhyItEnds() {
    var policy = RoundPolicy(maximumPause: .milliseconds(100))
    // Before anything was copied, nobody knows how long it takes.
    #expect(policy.end(left: 1000, timePerPage: nil) == nil)
    #expect(policy.end(left: 700, timePerPage: .milliseconds(1)) == nil)
    #expect(policy.end(left: 600, timePerPage: .milliseconds(1)) == .noGain)
    #expect(policy.end(left: 100, timePerPage: .milliseconds(1)) == .shortEnough)
  }
}
#endif
