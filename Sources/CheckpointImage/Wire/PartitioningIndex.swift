extension Range<Int> {
  /// The first index that satisfies `condition`, which holds for all indices behind one for which it holds: a binary
  /// search. The upper bound if there is none.
  ///
  /// It goes over indices, and is no generic function over collections, because it is called for single pages: other
  /// modules do not specialise a generic function of this one, which then takes ten times as long.
  package func partitioningIndex(where condition: (Int) -> Bool) -> Int {
    var (low, high) = (lowerBound, upperBound)
    while low < high {
      let middle = low + (high - low) / 2
      if condition(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
