import CheckpointCodec
import CheckpointImage
import TestSupport

/// A moment of a guest in the plainest form: a dictionary of pages, and a record.
struct ModelMoment {
  /// One page: its status and, for data, a number from which its contents are made.
  struct Page: Equatable {
    var status: PageStatus
    var seed: UInt64 = 0
  }

  private(set) var pages: [PFN: Page] = [:]
  /// The record sent anew each time.
  var registers: [UInt8] = [0]

  /// Contents made from a seed: compressible, and different for different seeds.
  static func contents(_ seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: seed), count: Limits.pageSize)
    // Some bytes are noise; the rest repeats.
    for index in stride(from: 0, to: Limits.pageSize, by: 64) {
      bytes[index] = UInt8.random(in: 0...255, using: &random)
    }
    bytes[0] = 1
    return bytes
  }

  /// Makes a page what another guest's page is.
  mutating func set(_ pfn: PFN, _ page: Page?) { pages[pfn] = page }

  /// The guest as an image shows it that leaves pages out. Only contents can be left out, and no page table's.
  func evicting(_ plan: EvictionPlan) -> ModelMoment {
    var model = self
    for (pfn, page) in pages where plan[pfn] != .none && page.status.type == 0 {
      guard page.status.state == .data || page.status.state == .zero else { continue }
      model.pages[pfn] = Page(status: PageStatus(.evicted, reason: plan[pfn]))
    }
    return model
  }

  /// A plan that names some pages one by one, and others in ranges.
  static func plan(_ pfns: [PFN], using random: inout SplitMix64) -> EvictionPlan {
    var plan = EvictionPlan()
    func reason() -> EvictionReason {
      EvictionReason.allCases.dropFirst().randomElement(using: &random) ?? .free
    }
    var end: PFN = 0
    for pfn in pfns where pfn >= end && Int.random(in: 0..<40, using: &random) == 0 {
      end = pfn + UInt64.random(in: 1...70, using: &random)
      plan.evict(pfn..<end, reason())
    }
    for pfn in pfns where Int.random(in: 0..<6, using: &random) == 0 {
      plan.evict(pfn..<pfn + 1, reason())
    }
    for pfn in pfns where Int.random(in: 0..<12, using: &random) == 0 {
      plan.evict(pfn..<pfn + 1, .none)
    }
    return plan
  }

  /// Changes some pages: contents, states, types; pages come and go.
  mutating func step(_ changes: Int, pfns: [PFN], using random: inout SplitMix64) {
    for _ in 0..<changes {
      guard let pfn = pfns.randomElement(using: &random) else { return }
      let type: PageType = [0, 0, 0, 1, 4, 9, 12].randomElement(using: &random) ?? 0
      switch Int.random(in: 0..<12, using: &random) {
      case 0: pages[pfn] = nil
      case 1: pages[pfn] = Page(status: PageStatus(.zero, type: type))
      case 2:
        let reason = EvictionReason.allCases.dropFirst().randomElement(using: &random) ?? .free
        pages[pfn] = Page(status: PageStatus(.evicted, type: type, reason: reason))
      case 3: pages[pfn] = Page(status: PageStatus(.allocateOnly))
      case 4: pages[pfn] = Page(status: PageStatus(.broken))
      case 5: pages[pfn] = Page(status: PageStatus(.unreadable, type: type))
      case 6:
        // Only the type changes.
        if let page = pages[pfn], page.status.state == .data { pages[pfn]?.status.type = type }
      default:
        // Few different contents, so that pages come back to what they were.
        pages[pfn] = Page(
          status: PageStatus(.data, type: type), seed: UInt64.random(in: 1...40, using: &random))
      }
    }
    registers = (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) }
  }
}
