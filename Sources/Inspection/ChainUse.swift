package import CheckpointChain
internal import CheckpointCodec
package import CheckpointImage
internal import Storage

/// Which images of a chain hold the pages of its tip.
package struct ChainUse: Sendable {
  /// The tip's pages by state, in the order of the states' numbers.
  package private(set) var counts = [UInt64](repeating: 0, count: 8)
  /// For each image, tip first, the number of stored pages that belong to the tip.
  package private(set) var shown: [UInt64]

  /// Counts by the index of the whole chain.
  package init(_ chain: Chain) throws(CheckpointError) {
    shown = [UInt64](repeating: 0, count: chain.images.count)
    for (number, _) in chain.memoryTree {
      try chain.cancellation.check()
      guard let block = try chain.block(number) else { continue }
      for (entry, image) in zip(block.entries, block.image) {
        counts[Int(entry.status.state.rawValue)] += 1
        if entry.status.state == .data, image >= 0 { shown[Int(image)] += 1 }
      }
    }
    // Gaps in a block are not part of a moment.
    counts[Int(PageState.unpopulated.rawValue)] = 0
  }
}
