internal import CheckpointCodec
package import CheckpointImage

/// One block of 512 pages as a chain shows it.
package struct ChainBlock: Sendable {
  /// The block.
  package let number: BlockNumber
  /// The pages; unpopulated where no image has a word.
  package private(set) var entries: [PageEntry]
  /// The place in the chain of the image an entry comes from; -1 where none has a word.
  package private(set) var image: [Int32]
  /// Pages on which no image has had a word.
  private(set) var left = Limits.blockPages

  /// A block on which no image has had a word.
  init(_ number: BlockNumber) {
    self.number = number
    entries = Array(repeating: .unpopulated, count: Limits.blockPages)
    image = Array(repeating: -1, count: Limits.blockPages)
  }

  /// Fills in from images given youngest first, whose places in the chain are their indices.
  mutating func lay(over images: ArraySlice<ImageFile>) throws(CheckpointError) {
    for index in images.indices {
      if left == 0 { break }
      guard let block = try images[index].indexBlock(number) else { continue }
      for (slot, entry) in zip(block.occupancy.members, block.entries) where image[slot] < 0 {
        set(slot, entry, from: Int32(index))
      }
    }
  }

  /// Fills in from the block of older images, whose places in this chain are `shift` more than in theirs.
  mutating func lay(over older: ChainBlock, shift: Int) {
    for slot in 0..<Limits.blockPages where image[slot] < 0 && older.image[slot] >= 0 {
      set(slot, older.entries[slot], from: older.image[slot] + Int32(shift))
    }
  }

  /// Takes away the contents of pages that a plan leaves out; from then on it is the tip that speaks of them.
  /// Returns how many there are.
  mutating func evict(_ plan: EvictionPlan, _ tally: EvictionTally? = nil) -> Int {
    var count = 0
    for run in plan.runs(of: number.pages) where run.reason != .none {
      for slot in number.slots(of: run.pages) {
        let status = entries[slot].status
        guard status.state.hasContents,
          let evicted = tally?.evict(status, run.reason) ?? status.evicted(run.reason)
        else { continue }
        entries[slot] = PageEntry(evicted)
        image[slot] = 0
        count += 1
      }
    }
    return count
  }

  private mutating func set(_ slot: Int, _ entry: PageEntry, from index: Int32) {
    entries[slot] = entry
    image[slot] = index
    left -= 1
  }
}
