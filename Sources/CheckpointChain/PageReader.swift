public import CheckpointCodec
public import CheckpointImage

/// Reads pages of a chain's tip, every one checked; any thread may use it.
public final class PageReader: Sendable {
  private let chain: Chain
  private let regions: RegionReader

  /// A reader of the chain's tip.
  public init(_ chain: Chain) {
    self.chain = chain
    regions = RegionReader(chain.images)
  }

  /// The pages of some ranges, together at most 256, with their contents: zeros for every state but
  /// data. The batch's states are those of the index.
  public func read(_ ranges: [Range<PFN>]) throws(CheckpointError) -> PageBatch {
    let buffer = PageBuffer()
    var batch = PageBatch(buffer: buffer, pages: [])
    var stored: [RegionReader.Page] = []
    var slots: [Int] = []
    var block: ChainBlock?
    for range in ranges {
      for pfn in range {
        let (number, slot) = pfn.quotientAndRemainder(dividingBy: UInt64(Limits.blockPages))
        if pfn == range.lowerBound || slot == 0 { block = try chain.block(number) }
        let entry = block?.entries[Int(slot)] ?? .unpopulated
        var page = PageBatch.Page(pfn: pfn, type: entry.status.type)
        page.state = entry.status.state
        page.digest = entry.digest
        if let block, entry.status.state == .data {
          stored.append(RegionReader.Page(pfn: pfn, image: block.image[Int(slot)], entry: entry))
          slots.append(batch.pages.count)
        } else {
          buffer.clear(batch.pages.count)
        }
        batch.pages.append(page)
      }
    }
    try regions.read(stored, to: slots, of: buffer)
    return batch
  }
}
