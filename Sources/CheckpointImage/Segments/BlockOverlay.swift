/// The pages of a block as one or more index blocks describe them, each page by the youngest that mentions it.
package struct BlockOverlay: Sendable {
  /// The 512 pages; those that no index block mentions are what they were from the start.
  package private(set) var entries: [PageEntry]
  /// The pages that an index block mentions.
  package private(set) var mentioned = PageSet()

  /// A block of which no page is mentioned.
  ///
  /// - Parameter status: what holds for a page that is not mentioned.
  package init(unmentioned status: PageStatus = PageStatus(.unpopulated)) {
    entries = Array(repeating: PageEntry(status), count: Limits.blockPages)
  }

  /// The 512 pages of an older moment, to be changed by younger images; unpopulated ones if there are none.
  package init(over pages: [PageEntry]?) {
    self.init()
    if let pages { entries = pages }
  }

  /// What is known of a page; nil if no index block mentions it.
  package subscript(slot: Int) -> PageEntry? { mentioned[slot] ? entries[slot] : nil }

  /// Whether every page is mentioned.
  package var isComplete: Bool { mentioned.count == Limits.blockPages }

  /// Adds the entries of a younger image, which supersede those that are there.
  package mutating func lay(_ block: IndexBlock) {
    for (slot, entry) in zip(block.occupancy.members, block.entries) { set(slot, entry) }
  }

  /// Adds the entries of an older image, for pages that are not mentioned yet. Returns the slots of these.
  package mutating func fill(from block: IndexBlock) -> [Int] {
    var filled: [Int] = []
    for (slot, entry) in zip(block.occupancy.members, block.entries) where !mentioned[slot] {
      set(slot, entry)
      filled.append(slot)
    }
    return filled
  }

  /// Adds the pages that older images mention, where none is mentioned yet. Returns the slots of these.
  package mutating func fill(from older: BlockOverlay) -> [Int] {
    let filled = older.mentioned.members.filter { !mentioned[$0] }
    for slot in filled { set(slot, older.entries[slot]) }
    return filled
  }

  /// Sets a page, as an image younger than all before would.
  package mutating func set(_ slot: Int, _ entry: PageEntry) {
    entries[slot] = entry
    mentioned[slot] = true
  }
}
