internal import CheckpointImage

/// Ranges of pages or blocks, ascending, without overlap or contact.
struct RangeList<Bound: Strideable & Sendable>: Sendable where Bound.Stride == Int {
  private(set) var ranges: [Range<Bound>] = []

  /// The ranges, which may come in any order and overlap; empty ones are left out.
  init(_ unordered: [Range<Bound>] = []) {
    for range in unordered.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      ranges.join(range)
    }
  }

  /// How many pages or blocks are in it.
  var count: UInt64 { ranges.reduce(0) { $0 + UInt64($1.count) } }

  func contains(_ number: Bound) -> Bool {
    let place = ranges.indices.partitioningIndex { ranges[$0].upperBound > number }
    return place < ranges.count && ranges[place].contains(number)
  }

  /// What is in this list and not in the other.
  func subtracting(_ other: RangeList) -> RangeList {
    var rest: [Range<Bound>] = []
    var next = 0
    for range in ranges {
      var start = range.lowerBound
      while next < other.ranges.count, other.ranges[next].upperBound <= start { next += 1 }
      var place = next
      while place < other.ranges.count, other.ranges[place].lowerBound < range.upperBound {
        if other.ranges[place].lowerBound > start {
          rest.append(start..<other.ranges[place].lowerBound)
        }
        start = min(range.upperBound, other.ranges[place].upperBound)
        place += 1
      }
      if start < range.upperBound { rest.append(start..<range.upperBound) }
    }
    return RangeList(rest)
  }
}
