internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// A region some of whose pages live: no younger image has another copy.
struct LiveRegion: Sendable {
  /// The image's place in the chain.
  var image: Int
  var location: PageLocation
  /// The slots of its living pages, ascending as a set.
  var live = PageSet()
  /// The first block with a living page.
  var firstBlock: BlockNumber
  /// The last block with a living page.
  var lastBlock: BlockNumber
}

extension Chain {
  /// The regions of the youngest `span` images with living pages in some blocks, given in ascending order;
  /// oldest image first, in the order of the files.
  ///
  /// - Parameter plan: pages that are not to be saved, and so do not live.
  func liveRegions(
    span: Int, blocks: some Sequence<BlockNumber>, evicting plan: EvictionPlan = EvictionPlan()
  ) throws(CheckpointError) -> [LiveRegion] {
    var regions: [LiveRegion] = []
    var places: [Int: [UInt64: Int]] = [:]
    for number in blocks {
      try cancellation.check()
      guard let block = try block(number, evicting: plan) else { continue }
      for (slot, entry) in block.entries.enumerated() where entry.status.state == .data {
        let image = Int(block.image[slot])
        guard image < span else { continue }
        let place = places[image]?[entry.location.offset] ?? regions.count
        if place == regions.count {
          places[image, default: [:]][entry.location.offset] = place
          regions.append(
            LiveRegion(
              image: image, location: entry.location, firstBlock: number, lastBlock: number))
        }
        regions[place].live[Int(entry.location.slot)] = true
        regions[place].lastBlock = number
      }
    }
    regions.sort { ($1.image, $0.location.offset) < ($0.image, $1.location.offset) }
    return regions
  }
}
