extension Array {
  /// Adds a range: one that begins in the last range or right behind it extends that.
  package mutating func join<Bound: Comparable>(_ range: Range<Bound>)
  where Element == Range<Bound> {
    joinLast(range)
  }

  @inline(__always)
  fileprivate mutating func joinLast<Bound: Comparable>(_ range: Range<Bound>)
  where Element == Range<Bound> {
    if let last, last.lowerBound <= range.lowerBound, range.lowerBound <= last.upperBound {
      self[count - 1] = last.lowerBound..<Swift.max(last.upperBound, range.upperBound)
    } else {
      append(range)
    }
  }
}

extension [Range<PFN>] {
  /// Adds pages: those that begin in the last range or right behind it extend that.
  ///
  /// It is not generic because it may be called for every page: other modules do not specialise what is generic here,
  /// and then take hundreds of nanoseconds for a call.
  package mutating func join(_ pages: Range<PFN>) { joinLast(pages) }
}
