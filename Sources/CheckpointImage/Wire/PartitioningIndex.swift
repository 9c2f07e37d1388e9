extension RandomAccessCollection {
  /// The first place whose element satisfies `condition`, which holds for all elements behind one for which it
  /// holds: a binary search. The end if there is none.
  package func partitioningIndex(where condition: (Element) -> Bool) -> Index {
    var (low, count) = (startIndex, self.count)
    while count > 0 {
      let half = count / 2
      let middle = index(low, offsetBy: half)
      if condition(self[middle]) {
        count = half
      } else {
        low = index(after: middle)
        count -= half + 1
      }
    }
    return low
  }
}
