import CheckpointImage
import GuestMemory
import Testing

@Suite struct EvictionPolicyTests {
  @Test func eachPolicyEvictsWhatTheOneBeforeItDoes() {
    for (weaker, stricter) in zip(EvictionPolicy.allCases, EvictionPolicy.allCases.dropFirst()) {
      #expect(weaker < stricter)
      for `class` in PageClass.allCases where weaker.reason(`class`) != .none {
        #expect(weaker.reason(`class`) == stricter.reason(`class`))
      }
    }
  }

  @Test func whatTheKernelNeedsIsNeverEvicted() {
    for policy in EvictionPolicy.allCases {
      for `class` in [PageClass.unknown, .perCPUList, .slab, .pageTable, .kernelOther, .reserved] {
        #expect(policy.reason(`class`) == .none)
      }
    }
  }
}
