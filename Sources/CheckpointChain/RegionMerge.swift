internal import CheckpointCodec
internal import CheckpointImage

/// Takes one region over into a merged image: as it is where most of it lives, else page by page.
struct RegionMerge: Sendable {
  /// A region some of whose pages live.
  struct LiveRegion: Sendable {
    /// The image's place in the chain.
    var image: Int
    var location: PageLocation
    var livePages = 1
  }

  let chain: Chain
  /// How many of the youngest images are merged.
  let span: Int
  /// Every region is to be compressed anew.
  let recoding: Bool
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

  /// The pages of a region that the chain's index refers to; the index must name no others there. The
  /// region may stay whole if each of its other pages is overruled by what follows it.
  private func livePages(of header: RegionHeader, _ live: LiveRegion) throws(CheckpointError)
    -> (pages: [EncodedRegion.LivePage], mayStay: Bool)
  {
    var pages: [EncodedRegion.LivePage] = []
    pages.reserveCapacity(live.livePages)
    var mayStay = true
    var block: ChainBlock?
    try header.forEachPage { (slot, pfn, type) throws(CheckpointError) in
      let (number, place) = pfn.quotientAndRemainder(dividingBy: UInt64(Limits.blockPages))
      if block?.number != number { block = try chain.block(number) }
      let entry = block?.entries[Int(place)] ?? .unpopulated
      let image = Int(block?.image[Int(place)] ?? -1)
      let here = PageLocation(
        offset: live.location.offset, length: live.location.length, slot: UInt8(slot))
      if image == live.image, entry.status == PageStatus(.data, type: type), entry.location == here
      {
        pages.append(
          EncodedRegion.LivePage(slot: here.slot, pfn: pfn, type: type, digest: entry.digest))
      } else {
        mayStay = mayStay && follows(entry, of: image, here, of: live.image)
      }
    }
    guard pages.count == live.livePages else {
      throw CheckpointError(
        .damaged,
        "the index names \(live.livePages) of its pages, and \(pages.count) of them are there",
        structure: "region", offset: live.location.offset, file: chain.images[live.image].name)
    }
    return (pages, mayStay)
  }

  /// Whether a page's entry is written behind a dead copy of the page: states come last, regions in the
  /// order of the images, oldest first, and in each image in file order. What the merged image does not
  /// speak of, or holds only further in front, does not overrule the copy.
  private func follows(
    _ entry: PageEntry, of image: Int, _ copy: PageLocation, of copyImage: Int
  ) -> Bool {
    guard (0..<span).contains(image) else { return false }
    guard entry.status.state == .data, image == copyImage else {
      return entry.status.state != .data || image < copyImage
    }
    return (entry.location.offset, entry.location.slot) > (copy.offset, copy.slot)
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
