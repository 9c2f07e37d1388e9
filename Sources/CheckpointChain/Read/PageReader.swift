package import CheckpointCodec
package import CheckpointImage

/// Reads pages of a chain's tip, every one checked; any thread may use it.
package final class PageReader: Sendable {
  private let chain: Chain
  private let buffers: PageBufferPool
  private let regions: RegionReader
  private let scattered: ScatteredPages?

  /// A reader of the chain's tip.
  package convenience init(_ chain: Chain) { self.init(chain, nil, PageBufferPool()) }

  init(_ chain: Chain, _ scattered: ScatteredPages?, _ buffers: PageBufferPool) {
    self.chain = chain
    self.buffers = buffers
    self.scattered = scattered
    regions = RegionReader(chain.images, buffers)
  }

  /// A reader that is going to read all pages of some blocks, given in ascending order.
  convenience init(_ chain: Chain, reading blocks: [BlockNumber], on pool: WorkerPool)
    throws(CheckpointError)
  {
    let chain = chain.readingAhead()
    let room = ExpandedRegion.limit(images: chain.images.count)
    let scattered = try ScatteredPages.gather(chain, blocks, room: room, on: pool)
    self.init(chain, scattered, pool.buffers)
  }

  /// The pages of some ranges, together at most 256, with their contents: zeros for every state but
  /// data. The batch's states are those of the index.
  package func read(_ ranges: [Range<PFN>]) throws(CheckpointError) -> PageBatch {
    let buffer = buffers.buffer()
    var batch = PageBatch(buffer: buffer, pages: [])
    var stored: [RegionReader.Page] = []
    var slots: [Int] = []
    var block: ChainBlock?
    for range in ranges {
      for pfn in range {
        let number = BlockNumber(containing: pfn)
        let slot = number.slot(of: pfn)
        if pfn == range.lowerBound || slot == 0 { block = try chain.block(number) }
        let entry = block?.entries[slot] ?? .unpopulated
        var page = PageBatch.Page(pfn: pfn)
        page.status = entry.status
        page.digest = entry.digest
        if let image = block?.image[slot], entry.status.state == .data {
          if let scattered, scattered.holds(image: image, entry.location) {
            try scattered.read(pfn, entry.digest, to: batch.pages.count, of: buffer)
          } else {
            stored.append(RegionReader.Page(pfn: pfn, image: image, entry: entry))
            slots.append(batch.pages.count)
          }
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
