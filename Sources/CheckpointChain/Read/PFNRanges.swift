internal import CheckpointImage

/// Ranges of PFNs, taken in pieces.
struct PFNRanges {
  private var ranges: [Range<PFN>]
  private var next = 0

  init(_ ranges: [Range<PFN>]) { self.ranges = ranges }

  /// The number of PFNs not yet taken.
  var count: UInt64 { ranges[next...].reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }

  /// The next ranges, together at most `count` PFNs; nil at the end.
  mutating func take(_ count: Int) -> [Range<PFN>]? {
    var taken: [Range<PFN>] = []
    var left = UInt64(count)
    while left > 0, next < ranges.count {
      let range = ranges[next]
      let part = min(left, range.upperBound - range.lowerBound)
      taken.append(range.lowerBound..<range.lowerBound + part)
      left -= part
      if part == range.upperBound - range.lowerBound {
        next += 1
      } else {
        ranges[next] = range.lowerBound + part..<range.upperBound
      }
    }
    return taken.isEmpty ? nil : taken
  }
}
