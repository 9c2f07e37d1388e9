internal import CheckpointCodec
internal import CheckpointImage

/// Takes one region over into a merged image: as it is where most of it lives, else page by page.
struct RegionMerge: Sendable {
  let chain: Chain
  /// How many of the youngest images are merged.
  let span: Int
  /// Every region is to be compressed anew.
  let recoding: Bool
  /// Pages that become evicted.
  var plan = EvictionPlan()
  let tally = MergeTally()
  /// The youngest image that evicts pages; nil if none does.
  private let evicting: Int?
  private let codec = RegionCodec()
  private let hashers = HasherPool()
  private let buffers: PageBufferPool

  init(
    chain: Chain, span: Int, recoding: Bool, plan: EvictionPlan = EvictionPlan(),
    _ buffers: PageBufferPool
  ) {
    self.chain = chain
    self.span = span
    self.recoding = recoding
    self.plan = plan
    self.buffers = buffers
    evicting = plan.isEmpty ? chain.images.firstIndex { $0.root.count(.evicted) > 0 } : 0
  }

  /// The region's part in the merged image.
  func read(_ live: LiveRegion) throws(CheckpointError) -> RegionContent {
    let image = chain.images[live.image]
    let region = try image.region(at: live.location)
    let (pages, mayStay) = try livePages(of: region.header, live)
    let total = region.header.pageCount
    // Kept whole if three quarters live: the bound that keeps a merge within 1.06 of a fresh capture.
    let keep = pages.count * 4 >= total * 3 && mayStay
    tally.add(copied: keep)
    if keep {
      return .regions([
        EncodedRegion(body: region.body, live: pages, deadCopies: total - pages.count)
      ])
    }
    return .pages(try expand(region, pages, live))
  }

  /// The living pages of a region, their digests compared.
  func expand(_ live: LiveRegion) throws(CheckpointError) -> PageBatch {
    let region = try chain.images[live.image].region(at: live.location)
    return try expand(region, try livePages(of: region.header, live).pages, live)
  }

  private func expand(
    _ region: ImageFile.Region, _ pages: [EncodedRegion.LivePage], _ live: LiveRegion
  ) throws(CheckpointError) -> PageBatch {
    let buffer = buffers.buffer(pages: region.header.pageCount)
    do throws(CheckpointError) {
      try codec.decode(
        region.body.rawSpan, region.header, into: buffer, at: 0,
        offset: live.location.offset + UInt64(SegmentFrame.byteCount))
    } catch {
      throw error.inFile(chain.images[live.image].name)
    }
    return try gather(pages, from: buffer, live)
  }

  /// The living pages, as the image's own index describes them; the index must name no others there. The
  /// region may stay whole if each of its other pages is superseded by what follows in the image itself, and none
  /// is evicted: what such a page held is not to be had from the merged image.
  private func livePages(of header: RegionHeader, _ region: LiveRegion) throws(CheckpointError)
    -> (pages: [EncodedRegion.LivePage], mayStay: Bool)
  {
    let image = chain.images[region.image]
    // What this image holds is evicted at the tip only by itself or by a younger one.
    let mayBeEvicted = evicting.map { $0 <= region.image } ?? false
    var pages: [EncodedRegion.LivePage] = []
    var mayStay = !recoding
    var blocks: [BlockNumber: IndexBlock?] = [:]
    // Neighbours are mostly of one block.
    var own: (number: BlockNumber, block: IndexBlock?)?
    var atTip: (number: BlockNumber, block: ChainBlock?)?
    try header.forEachPage { (slot, pfn, type) throws(CheckpointError) in
      let number = BlockNumber(containing: pfn)
      let place = number.slot(of: pfn)
      if own?.number != number {
        let block = if let known = blocks[number] { known } else { try image.indexBlock(number) }
        blocks[number] = .some(block)
        own = (number, block)
      }
      let entry = own?.block?.entry(slot: place)
      guard region.live[slot] else {
        guard mayStay else { return }
        mayStay = Self.supersedes(entry, region.location.offset, slot)
        if mayStay, mayBeEvicted {
          if atTip?.number != number { atTip = (number, try chain.block(number, evicting: plan)) }
          mayStay = atTip?.block?.entries[place].status.state != .evicted
        }
        return
      }
      guard let entry, entry.status == PageStatus(.data, type: type),
        entry.location.offset == region.location.offset,
        entry.location.length == region.location.length, Int(entry.location.slot) == slot
      else { return }
      pages.append(
        EncodedRegion.LivePage(slot: UInt8(slot), pfn: pfn, type: type, digest: entry.digest))
    }
    guard pages.count == region.live.count else {
      throw CheckpointError(
        .damaged,
        "the index names \(region.live.count) of its pages, and \(pages.count) of them are there",
        structure: "region", offset: region.location.offset, file: image.name)
    }
    return (pages, mayStay)
  }

  /// Whether what follows a dead copy supersedes it, by its image's own entry for the page. If that
  /// is the copy, a younger image has another. If not, it must come behind the copy: states come last,
  /// regions in file order. Without an entry the parent's page counts, which comes before the copy.
  private static func supersedes(_ entry: PageEntry?, _ offset: UInt64, _ slot: Int) -> Bool {
    guard let entry else { return false }
    return entry.status.state != .data
      || (entry.location.offset, Int(entry.location.slot)) >= (offset, slot)
  }

  /// The living pages, their digests compared.
  private func gather(
    _ live: [EncodedRegion.LivePage], from expanded: PageBuffer, _ region: LiveRegion
  ) throws(CheckpointError) -> PageBatch {
    let buffer = buffers.buffer(pages: live.count)
    var batch = PageBatch(buffer: buffer, pages: [])
    try hashers.withContext { (hasher) throws(CheckpointError) in
      for page in live {
        let slot = Int(page.slot)
        let found = hasher.digest(of: expanded.page(slot))
        guard found == page.digest else {
          throw CheckpointError(
            .damaged, "digest of PFN \(page.pfn): found \(found), expected \(page.digest)",
            structure: "region", offset: region.location.offset,
            file: chain.images[region.image].name)
        }
        buffer.copy(expanded, slot..<slot + 1, to: batch.pages.count)
        var moved = PageBatch.Page(pfn: page.pfn, type: page.type)
        moved.digest = page.digest
        batch.pages.append(moved)
      }
    }
    return batch
  }
}
