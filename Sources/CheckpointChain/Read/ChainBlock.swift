internal import CheckpointCodec
package import CheckpointImage

/// One block of 512 pages as a chain shows it.
package struct ChainBlock: Sendable {
  /// The block.
  package let number: BlockNumber
  private var overlay = BlockOverlay()
  /// The place in the chain of the image that an entry comes from; -1 where no image mentions the page.
  package private(set) var image = [Int32](repeating: -1, count: Limits.blockPages)

  /// A block of which no image was read.
  init(_ number: BlockNumber) { self.number = number }

  /// The pages; unpopulated where no image mentions them.
  package var entries: [PageEntry] { overlay.entries }
  /// Whether an image mentions every page.
  var isComplete: Bool { overlay.isComplete }
  /// Whether no image mentions any page.
  var isEmpty: Bool { overlay.mentioned.count == 0 }

  /// Fills in from images given youngest first, whose places in the chain are their indices.
  mutating func fill(from images: ArraySlice<ImageFile>) throws(CheckpointError) {
    for index in images.indices {
      if isComplete { break }
      guard let block = try images[index].indexBlock(number) else { continue }
      for slot in overlay.fill(from: block) { image[slot] = Int32(index) }
    }
  }

  /// Fills in from the block of older images, whose places in this chain are `shift` more than in theirs.
  mutating func fill(from older: ChainBlock, shift: Int) {
    for slot in overlay.fill(from: older.overlay) { image[slot] = older.image[slot] + Int32(shift) }
  }

  /// Takes away the contents of pages that a plan leaves out; from then on their entries count as the tip's.
  /// Returns how many there are.
  mutating func evict(_ plan: EvictionPlan, _ tally: EvictionTally? = nil) -> Int {
    var count = 0
    for run in plan.runs(of: number.pages) where run.reason != .none {
      for slot in number.slots(of: run.pages) {
        let status = entries[slot].status
        guard status.state.hasContents,
          let evicted = tally?.evict(status, run.reason) ?? status.evicted(run.reason)
        else { continue }
        overlay.set(slot, PageEntry(evicted))
        image[slot] = 0
        count += 1
      }
    }
    return count
  }
}
