extension Array {
  /// Adds a range: one that begins in the last range or right behind it extends that.
  // Inlinable, for it may be called for every page: what other modules do not specialise takes hundreds of nanoseconds.
  @inlinable
  package mutating func join<Bound: Comparable>(_ range: Range<Bound>)
  where Element == Range<Bound> {
    if let last, last.lowerBound <= range.lowerBound, range.lowerBound <= last.upperBound {
      self[count - 1] = last.lowerBound..<Swift.max(last.upperBound, range.upperBound)
    } else {
      append(range)
    }
  }
}
