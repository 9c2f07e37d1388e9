/// Which of the 512 pages or children of a block are present: bit n of word n / 64.
package struct PageSet: Hashable, Sendable {
  /// The bits.
  package var words: [8 of UInt64]

  /// No members.
  package init() { words = .init(repeating: 0) }

  /// The number of members.
  package var count: Int {
    var count = 0
    for index in 0..<8 { count += words[index].nonzeroBitCount }
    return count
  }

  /// Whether `index` is a member.
  package subscript(index: Int) -> Bool {
    get { words[index >> 6] & 1 << UInt64(index & 63) != 0 }
    set {
      let bit = UInt64(1) << UInt64(index & 63)
      words[index >> 6] = newValue ? words[index >> 6] | bit : words[index >> 6] & ~bit
    }
  }

  /// The number of members below `index`.
  package func rank(of index: Int) -> Int {
    var rank = (words[index >> 6] & ((1 << UInt64(index & 63)) - 1)).nonzeroBitCount
    for word in 0..<index >> 6 { rank += words[word].nonzeroBitCount }
    return rank
  }

  /// The members, ascending.
  package var members: [Int] {
    var members: [Int] = []
    members.reserveCapacity(count)
    for word in 0..<8 {
      var rest = words[word]
      while rest != 0 {
        members.append(word << 6 | rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
    return members
  }

  /// Whether both have the same value.
  package static func == (a: PageSet, b: PageSet) -> Bool {
    for index in 0..<8 where a.words[index] != b.words[index] { return false }
    return true
  }

  /// Feeds the value to a hasher.
  package func hash(into hasher: inout Hasher) {
    for index in 0..<8 { hasher.combine(words[index]) }
  }

  init(parsing reader: inout WireReader) throws(CheckpointError) {
    self.init()
    for index in 0..<8 { words[index] = try reader.read() }
  }

  func encode(into writer: inout WireWriter) {
    for index in 0..<8 { writer.write(words[index]) }
  }
}
