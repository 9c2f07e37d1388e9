internal import CheckpointImage
internal import Storage

/// What each page was when it was written, in order of arrival; the last mention wins (40 bytes for a stored page,
/// 24 for a run of others).
struct PageLog {
  private struct Page {
    /// PFN in bits 12 to 63, type in 8 to 11, slot in 0 to 7.
    private var place: UInt64
    var digest: Digest

    init(_ page: EncodedRegion.LivePage) {
      place = page.pfn << 12 | UInt64(page.type) << 8 | UInt64(page.slot)
      digest = page.digest
    }

    var pfn: PFN { place >> 12 }
    var type: PageType { PageType(place >> 8 & 15) }
    var slot: UInt8 { UInt8(truncatingIfNeeded: place) }
  }

  private struct Region {
    var offset: UInt64
    var firstPage: UInt32
    var length: UInt32
    var pass: UInt32
  }

  private struct Extent {
    var extent: StateExtent
    var pass: UInt32
  }

  /// One block of 512 pages: the last mention of each, nil where there is none.
  struct Block {
    var number = BlockNumber(0)
    var entries = [PageEntry?](repeating: nil, count: Limits.blockPages)
    fileprivate var passes = [UInt32](repeating: 0, count: Limits.blockPages)
  }

  private var pages = ChunkedArray<Page>()
  private var regions = ChunkedArray<Region>()
  private var extents = ChunkedArray<Extent>()
  private var pass: UInt32 = 0

  /// PFNs may come again from here on.
  mutating func newPass() { pass += 1 }

  /// Whether another region can be added: pages are numbered with 32 bits.
  var hasRoom: Bool {
    let most = Int(UInt32.max) - Limits.maximumRegionPages
    return pages.count <= most && extents.count <= most && pass < UInt32.max
  }

  /// Whether a stored page was added.
  var hasPages: Bool { pages.count > 0 }

  /// Whether PFNs may have come more than once.
  var hasSeveralPasses: Bool { pass > 0 }

  mutating func add(_ region: EncodedRegion, offset: UInt64, length: UInt32) {
    regions.append(
      Region(offset: offset, firstPage: UInt32(pages.count), length: length, pass: pass))
    for page in region.live { pages.append(Page(page)) }
  }

  mutating func add(_ extent: StateExtent) {
    extents.append(Extent(extent: extent, pass: pass))
  }

  /// Calls `body` for each block of which a page was mentioned, ascending. Returns how many stored
  /// pages, and how many mentions of any kind, were superseded by later ones.
  func forEachBlock(
    _ body: (borrowing Block) throws(CheckpointError) -> Void
  ) throws(CheckpointError) -> (deadCopies: UInt64, repeated: UInt64) {
    let pageOrder = order(pages.count) { pages[$0].pfn }
    let extentOrder = order(extents.count) { extents[$0].extent.pfn }
    var block = Block()
    var nextPage = 0
    var nextExtent = 0
    var region = 0
    var open: [Extent] = []
    var deadCopies: UInt64 = 0
    var repeated: UInt64 = 0
    while true {
      var first: PFN? = open.isEmpty ? nil : block.number.pages.upperBound
      if nextPage < pages.count {
        let pfn = pages[pageOrder(nextPage)].pfn
        first = min(first ?? pfn, pfn)
      }
      if nextExtent < extents.count {
        let pfn = extents[extentOrder(nextExtent)].extent.pfn
        first = min(first ?? pfn, pfn)
      }
      guard let first else { return (deadCopies, repeated) }
      let number = BlockNumber(containing: first)
      block.number = number
      for slot in 0..<Limits.blockPages { block.entries[slot] = nil }

      func mention(_ entry: PageEntry, _ slot: Int, _ pass: UInt32) {
        if let earlier = block.entries[slot] {
          repeated += 1
          let superseded = block.passes[slot] > pass ? entry : earlier
          if superseded.status.state == .data { deadCopies += 1 }
          if block.passes[slot] > pass { return }
        }
        block.entries[slot] = entry
        block.passes[slot] = pass
      }

      let range = number.pages
      while nextExtent < extents.count,
        extents[extentOrder(nextExtent)].extent.pfn < range.upperBound
      {
        open.append(extents[extentOrder(nextExtent)])
        nextExtent += 1
      }
      for extent in open {
        let entry = PageEntry(extent.extent.status)
        for slot in number.slots(of: extent.extent.pfn..<extent.extent.end) {
          mention(entry, slot, extent.pass)
        }
      }
      open.removeAll { $0.extent.end <= range.upperBound }
      while nextPage < pages.count, pages[pageOrder(nextPage)].pfn < range.upperBound {
        let index = pageOrder(nextPage)
        let page = pages[index]
        region = self.region(ofPage: index, near: region)
        let (offset, length) = (regions[region].offset, regions[region].length)
        let location = PageLocation(offset: offset, length: length, slot: page.slot)
        mention(
          PageEntry(type: page.type, digest: page.digest, location: location),
          number.slot(of: page.pfn), regions[region].pass)
        nextPage += 1
      }
      try body(block)
    }
  }

  /// The region that page `index` came with; `guess` is often it, or the one before it.
  private func region(ofPage index: Int, near guess: Int) -> Int {
    func starts(_ region: Int) -> Bool {
      region < regions.count && Int(regions[region].firstPage) <= index
    }
    if starts(guess) {
      if !starts(guess + 1) { return guess }
      if !starts(guess + 2) { return guess + 1 }
    }
    return (1..<regions.count).partitioningIndex { !starts($0) } - 1
  }

  /// The way through `count` elements by ascending PFN, in order of arrival where PFNs are equal.
  private func order(_ count: Int, _ pfn: (Int) -> PFN) -> (Int) -> Int {
    var last: PFN = 0
    for index in 0..<count {
      let next = pfn(index)
      if next < last {
        var indices = (0..<UInt32(count)).map { $0 }
        indices.sort { (pfn(Int($0)), $0) < (pfn(Int($1)), $1) }
        return { Int(indices[$0]) }
      }
      last = next
    }
    return { $0 }
  }
}
