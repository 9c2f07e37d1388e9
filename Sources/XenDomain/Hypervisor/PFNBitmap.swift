#if Xen
internal import CheckpointImage

/// A set of PFNs, one bit for each below a limit.
struct PFNBitmap: Sendable {
  private(set) var words: [UInt64]

  /// The empty set.
  init(limit: PFN) { words = [UInt64](repeating: 0, count: Int((limit + 63) / 64)) }

  /// How many there are.
  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  func contains(_ pfn: PFN) -> Bool {
    let word = Int(pfn / 64)
    return word < words.count && words[word] >> (pfn % 64) & 1 == 1
  }

  mutating func insert(_ pfn: PFN) {
    let word = Int(pfn / 64)
    grow(to: word + 1)
    words[word] |= 1 << (pfn % 64)
  }

  mutating func remove(_ pfn: PFN) {
    let word = Int(pfn / 64)
    if word < words.count { words[word] &= ~(1 << (pfn % 64)) }
  }

  mutating func formUnion(_ other: PFNBitmap) {
    grow(to: other.words.count)
    for word in other.words.indices { words[word] |= other.words[word] }
  }

  /// Adds all PFNs of a range.
  mutating func insert(_ pfns: Range<PFN>) {
    for pfn in pfns { insert(pfn) }
  }

  /// The members of one of the two sets that are not in the other.
  func symmetricDifference(_ other: PFNBitmap) -> PFNBitmap {
    var result = self
    result.grow(to: other.words.count)
    for word in other.words.indices { result.words[word] ^= other.words[word] }
    return result
  }

  /// Adds 64 PFNs from a multiple of 64 on: bit n of `bits` is `word` * 64 + n.
  mutating func insert(word: Int, _ bits: UInt64) {
    grow(to: word + 1)
    words[word] |= bits
  }

  /// All members, ascending.
  var members: [PFN] {
    var members: [PFN] = []
    members.reserveCapacity(count)
    for (index, word) in words.enumerated() where word != 0 {
      var rest = word
      while rest != 0 {
        members.append(PFN(index) * 64 + PFN(rest.trailingZeroBitCount))
        rest &= rest - 1
      }
    }
    return members
  }

  private mutating func grow(to count: Int) {
    if words.count < count {
      words.append(contentsOf: repeatElement(0, count: count - words.count))
    }
  }
}
#endif
