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
      for _ in 0..<30 {
        let first = pfn()
        let pages = first..<first + .random(in: 0..<20, using: &random)
        let reason = reason(using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
          plan.keep(Set(pages))
          for pfn in pages { model[pfn] = nil }
        case 1:
          plan.evict(pages, reason)
          for pfn in pages { model[pfn] = reason }
        default:
          plan.evict(first..<first + 1, reason)
          model[first] = reason
        }
      }
      for place in places {
        for pfn in place..<place + 80 where plan[pfn] != model[pfn, default: .none] {
          Issue.record("round \(round), PFN \(pfn): \(plan[pfn])")
          return
        }
        let asked = place + 7..<place + 70
        var end = asked.lowerBound
        for run in plan.runs(of: asked) {
          #expect(run.pages.lowerBound == end && !run.pages.isEmpty)
          #expect(run.pages.allSatisfy { model[$0, default: .none] == run.reason })
          end = run.pages.upperBound
        }
        #expect(end == asked.upperBound)
      }
    }
  }

  @Test func anotherPlanIsAddedBehind() {
    var random = SplitMix64.forTest("added plans")
    func plan() -> EvictionPlan {
      var plan = EvictionPlan()
      for _ in 0..<12 {
        let first = PFN.random(in: 0..<900, using: &random)
        let reason = EvictionReason.allCases[Int.random(in: 1...6, using: &random)]
        if Bool.random(using: &random) {
          plan.evict(first..<first + .random(in: 0..<90, using: &random), reason)
        } else {
          plan.evict(first..<first + 1, reason)
        }
      }
      return plan
    }
    for _ in 0..<300 {
      let (first, second, third) = (plan(), plan(), plan())
      var all = first
      all.add(second)
      all.add(third)
      for pfn in 0..<1000 as Range<PFN> {
        let reason =
          [first[pfn], second[pfn], third[pfn]].first { $0 != .none } ?? EvictionReason.none
        guard all[pfn] == reason else {
          Issue.record("PFN \(pfn): \(all[pfn]), not \(reason)")
          return
        }
      }
    }
  }

  /// A guest of 16 GiB may have so many: a copy of all for each would take hours.
  @Test(.timeLimit(.minutes(1))) func millionsOfRuns() {
    var plan = EvictionPlan()
    for pfn in 0..<2_000_000 as Range<PFN> { plan.evict(2 * pfn..<2 * pfn + 1, .free) }
    var other = EvictionPlan()
    for pfn in 0..<2_000_000 as Range<PFN> {
      other.evict(2 * pfn + 1..<2 * pfn + 2, .user)
    }
    plan.add(other)
    #expect(plan[3_999_998] == .free && plan[3_999_999] == .user && plan[4_000_000] == .none)
  }

  @Test func numbersThatAreNoPFNs() {
    var plan = EvictionPlan()
    plan.evict(0..<Limits.pfnEnd, .listed)
    plan.keep([.max, Limits.pfnEnd, Limits.pfnEnd - 1, 0])
    #expect(plan[0] == .none && plan[1] == .listed && plan[Limits.pfnEnd - 1] == .none)
  }

  @Test func pagesThatAdjoinAreOneRun() {
    var plan = EvictionPlan()
    for pfn in 7..<900 as Range<PFN> { plan.evict(pfn..<pfn + 1, .free) }
    #expect(plan.run(at: 500).pages == 7..<900)
  }
}
