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

  /// The region's part in the merged image.
  func read(_ live: LiveRegion) throws(CheckpointError) -> CheckpointEvent {
    let image = chain.images[live.image]
    let region = try image.region(at: live.location)
    let (pages, mayStay) = try livePages(of: region.header, live)
    let total = region.header.pageCount
    // Kept whole if three quarters live: the bound that keeps a merge within 1.06 of a fresh capture.
    let keep = pages.count * 4 >= total * 3 && mayStay && !recoding
    tally.add(copied: keep)
    if keep {
      return .regions([
        EncodedRegion(body: region.body, live: pages, deadCopies: total - pages.count)
      ])
    }
    let buffer = PageBuffer(pages: total)
    do throws(CheckpointError) {
      unsafe try RegionCodec.decode(
        region.body.span.bytes, region.header, into: buffer, at: 0,
        offset: live.location.offset + UInt64(SegmentFrame.byteCount))
    } catch {
      throw error.inFile(image.name)
    }
    return .pages(try gather(pages, from: buffer, live))
  }

  /// The living pages, as the image's own index describes them; the index must name no others there. The
  /// region may stay whole if each of its other pages is overruled by what the image itself says later, and none
  /// is evicted: what such a page held is not to be had from the merged image.
  private func livePages(of header: RegionHeader, _ region: LiveRegion) throws(CheckpointError)
    -> (pages: [EncodedRegion.LivePage], mayStay: Bool)
  {
    let image = chain.images[region.image]
    var pages: [EncodedRegion.LivePage] = []
    var mayStay = true
    var blocks: [UInt64: IndexBlock?] = [:]
    try header.forEachPage { (slot, pfn, type) throws(CheckpointError) in
      let (block, place) = pfn.quotientAndRemainder(dividingBy: UInt64(Limits.blockPages))
      if blocks[block] == nil {
        blocks[block] = .some(try image.indexBlock(block))
      }
      let entry = (blocks[block] ?? nil)?.entry(slot: Int(place))
      guard region.live[slot] else {
        let last = try chain.block(block, evicting: plan)?.entries[Int(place)]
        mayStay =
          mayStay && last?.status.state != .evicted
          && Self.overrules(entry, region.location.offset, slot)
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

  /// Whether what follows a dead copy overrules it, told from its image's own entry for the page. If that
  /// is the copy, a younger image has another. If not, it must come behind the copy: states come last,
  /// regions in file order. Without an entry the parent's page counts, which comes before the copy.
  private static func overrules(_ entry: PageEntry?, _ offset: UInt64, _ slot: Int) -> Bool {
    guard let entry else { return false }
    return entry.status.state != .data
      || (entry.location.offset, Int(entry.location.slot)) >= (offset, slot)
  }

  /// The living pages, their digests compared.
  private func gather(
    _ live: [EncodedRegion.LivePage], from expanded: PageBuffer, _ region: LiveRegion
  ) throws(CheckpointError) -> PageBatch {
    let buffer = PageBuffer(pages: live.count)
    var batch = PageBatch(buffer: buffer, pages: [])
    try RegionCodec.withHasher { (hasher) throws(CheckpointError) in
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
