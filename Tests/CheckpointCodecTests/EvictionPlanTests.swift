import CheckpointCodec
import CheckpointImage
import TestSupport
import Testing

/// A plan says what a dictionary of pages would say.
@Suite struct EvictionPlanTests {
  private func reason(using random: inout SplitMix64) -> EvictionReason {
    EvictionReason.allCases.randomElement(using: &random) ?? .none
  }

  @Test func againstADictionary() {
    var random = SplitMix64.forTest("plans")
    let places: [PFN] = [0, 500, 1020, Limits.pfnEnd - 80]
    func pfn() -> PFN {
      (places.randomElement(using: &random) ?? 0) + .random(in: 0..<60, using: &random)
    }
    for round in 0..<400 {
      var plan = EvictionPlan()
      var model: [PFN: EvictionReason] = [:]
      var ranged: Set<PFN> = []
      for _ in 0..<30 {
        let first = pfn()
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
          let range = first..<first + .random(in: 0..<20, using: &random)
          let reason = EvictionReason.allCases[Int.random(in: 1...6, using: &random)]
          let isNew = ranged.isDisjoint(with: range)
          let isAdded = plan.add(range, reason)
          #expect(isAdded == isNew)
          guard isNew else { continue }
          ranged.formUnion(range)
          for pfn in range where model[pfn, default: .none] == .none { model[pfn] = reason }
        case 1:
          let range = first..<first + .random(in: 0..<20, using: &random)
          let reason = reason(using: &random)
          plan.evict(range, reason)
          for pfn in range { model[pfn] = reason }
        default:
          let reason = reason(using: &random)
          plan[first] = reason
          model[first] = reason
        }
      }
      for place in places {
        for pfn in place..<place + 80 where plan[pfn] != model[pfn, default: .none] {
          Issue.record("round \(round), PFN \(pfn): \(plan[pfn])")
          return
        }
      }
    }
  }

  @Test func anotherPlanIsAddedBehind() {
    var first = EvictionPlan()
    first[3] = .free
    var second = EvictionPlan()
    second[3] = .user
    second[4] = .user
    let isFirst = second.add(10..<1 << 50, .listed)
    let isAdded = first.add(second)
    #expect(isFirst && isAdded)
    #expect([3, 4, 5, 10, 1 << 49].map { first[$0] } == [.free, .user, .none, .listed, .listed])
    let isAddedAgain = first.add(second)
    #expect(!isAddedAgain)
  }
}
