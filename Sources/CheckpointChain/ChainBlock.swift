internal import CheckpointCodec
public import CheckpointImage

/// One block of 512 pages as a chain shows it.
public struct ChainBlock: Sendable {
  /// PFN / 512.
  public let number: UInt64
  /// The pages; unpopulated where no image has a word.
  public private(set) var entries: [PageEntry]
  /// The place in the chain of the image an entry comes from; -1 where none has a word.
  public private(set) var image: [Int32]

  /// Overlays the blocks of images given tip first; nil if none of them has the block.
  init?(_ number: UInt64, _ images: ArraySlice<ImageFile>) throws(CheckpointError) {
    self.number = number
    entries = Array(repeating: .unpopulated, count: Limits.blockPages)
    image = Array(repeating: -1, count: Limits.blockPages)
    var left = Limits.blockPages
    for index in images.indices {
      guard let place = images[index].root.block(number) else { continue }
      let block = try images[index].indexBlock(place)
      for (slot, entry) in zip(block.occupancy.members, block.entries) where image[slot] < 0 {
        entries[slot] = entry
        image[slot] = Int32(index)
        left -= 1
      }
      if left == 0 { break }
    }
    if left == Limits.blockPages { return nil }
  }
}
