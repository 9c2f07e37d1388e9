public import CheckpointImage

/// Which pages are not to be saved, each with the reason.
public struct EvictionPlan: Sendable {
  /// Pages one by one: one byte a page, for the blocks that have any.
  private var blocks: [UInt64: [EvictionReason]] = [:]
  /// Pages in ranges, ascending; what is said of a page alone counts more.
  private var ranges: [(pfns: Range<PFN>, reason: EvictionReason)] = []
  /// Pages in the ranges that are saved after all.
  private var kept: Set<PFN> = []

  /// Every page is saved.
  public init() {}

  /// Whether every page is saved.
  public var isEmpty: Bool { blocks.isEmpty && ranges.isEmpty }

  /// Why a page is not saved; `none` if it is. Saving it after all is setting `none`.
  public subscript(pfn: PFN) -> EvictionReason {
    get {
      let told = blocks[pfn / Self.size].map { $0[Int(pfn % Self.size)] } ?? .none
      return told == .none && !kept.contains(pfn) ? ranged(pfn) : told
    }
    set {
      if newValue != .none || blocks[pfn / Self.size] != nil {
        blocks[
          pfn / Self.size, default: [EvictionReason](repeating: .none, count: Limits.blockPages)
        ][Int(pfn % Self.size)] = newValue
      }
      if newValue == .none, ranged(pfn) != .none { kept.insert(pfn) }
    }
  }

  /// Adds pages; those that are evicted already keep their reason.
  ///
  /// - Returns: false, and nothing is added, if some of them were added as a range before.
  public mutating func add(_ pfns: Range<PFN>, _ reason: EvictionReason) -> Bool {
    guard !pfns.isEmpty else { return true }
    let place = place(pfns.lowerBound)
    if place < ranges.count, ranges[place].pfns.lowerBound < pfns.upperBound { return false }
    ranges.insert((pfns, reason), at: place)
    return true
  }

  /// Adds all pages of another plan; those that are evicted already keep their reason.
  public mutating func add(_ other: EvictionPlan) {
    for (number, reasons) in other.blocks {
      for (slot, reason) in reasons.enumerated() where reason != .none {
        let pfn = number * Self.size + UInt64(slot)
        if self[pfn] == .none { self[pfn] = reason }
      }
    }
    var more: [(pfns: Range<PFN>, reason: EvictionReason)] = []
    for (pfns, reason) in other.ranges {
      var start = pfns.lowerBound
      while start < pfns.upperBound {
        // The parts between the ranges that are there.
        let place = place(start)
        let next = place < ranges.count ? ranges[place].pfns : pfns.upperBound..<pfns.upperBound
        let end = min(max(start, next.lowerBound), pfns.upperBound)
        if start < end { more.append((start..<end, reason)) }
        start = end == pfns.upperBound ? end : next.upperBound
      }
    }
    ranges += more
    ranges.sort { $0.pfns.lowerBound < $1.pfns.lowerBound }
  }

  /// The first range that ends behind a page.
  private func place(_ pfn: PFN) -> Int {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].pfns.upperBound <= pfn { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func ranged(_ pfn: PFN) -> EvictionReason {
    guard !ranges.isEmpty else { return .none }
    let place = place(pfn)
    return place < ranges.count && ranges[place].pfns.contains(pfn) ? ranges[place].reason : .none
  }

  /// Leaves out a run of pages, all for one reason; `none` saves those of them that were to be left out.
  public mutating func evict(_ pages: Range<PFN>, _ reason: EvictionReason) {
    var start = pages.lowerBound
    while start < pages.upperBound {
      let number = start / Self.size
      let end = min(pages.upperBound, (number + 1) * Self.size)
      if reason != .none || blocks[number] != nil {
        let first = Int(start % Self.size)
        let places = first..<first + Int(end - start)
        blocks[number, default: [EvictionReason](repeating: .none, count: Limits.blockPages)]
          .replaceSubrange(places, with: repeatElement(reason, count: places.count))
      }
      if reason == .none, !ranges.isEmpty {
        for pfn in start..<end where ranged(pfn) != .none { kept.insert(pfn) }
      }
      start = end
    }
  }

  private static let size = UInt64(Limits.blockPages)
}
