internal import CheckpointCodec
internal import CheckpointImage
internal import Synchronization

/// Expands regions and lets no page pass whose number, type or digest is not the one in the index.
final class RegionReader: Sendable {
  /// A stored page and where it is.
  struct Page: Sendable {
    var pfn: PFN
    /// The image's place in the list of images.
    var image: Int32
    var entry: PageEntry
  }

  private struct Key: Hashable {
    var image: Int32
    var offset: UInt64
  }

  /// A region expanded for several readers.
  private struct Expanded: Sendable {
    var header: RegionHeader
    var buffer: PageBuffer
  }

  /// The regions expanded last; those of increments are wanted by many blocks.
  private struct Cache {
    static let limit = 8 << 20
    var regions: [Key: Expanded] = [:]
    var order: [Key] = []
    var bytes = 0

    mutating func insert(_ region: Expanded, _ key: Key) {
      guard regions.updateValue(region, forKey: key) == nil else { return }
      order.append(key)
      bytes += region.header.expandedSize
      while bytes > Self.limit, order.count > 1 {
        let oldest = order.removeFirst()
        bytes -= regions.removeValue(forKey: oldest)?.header.expandedSize ?? 0
      }
    }
  }

  private let images: [ImageFile]
  private let cache = Mutex(Cache())

  init(_ images: [ImageFile]) { self.images = images }

  /// Reads up to 256 pages; page `n` goes to slot `slots[n]` of `buffer`.
  func read(_ pages: [Page], to slots: [Int], of buffer: PageBuffer) throws(CheckpointError) {
    var start = 0
    while start < pages.count {
      let end = Self.endOfRun(pages, from: start, slots)
      try fill(buffer, at: slots[start], pages[start..<end])
      start = end
    }
  }

  /// Checks up to 256 pages; tells what is wrong with each region concerned, and the headers of those
  /// that could be read, by offset.
  func check(_ pages: [Page]) -> (errors: [CheckpointError], regions: [UInt64: RegionHeader]) {
    let buffer = PageBuffer()
    let slots = Array(pages.indices)
    var errors: [CheckpointError] = []
    var regions: [UInt64: RegionHeader] = [:]
    var start = 0
    while start < pages.count {
      let end = Self.endOfRun(pages, from: start, slots)
      do throws(CheckpointError) {
        let header = try fill(buffer, at: start, pages[start..<end])
        regions[pages[start].entry.location.offset] = header
      } catch {
        errors.append(error)
      }
      start = end
    }
    return (errors, regions)
  }

  /// The end of the pages from `start` on that lie one after the other in one region, and are wanted so.
  private static func endOfRun(_ pages: [Page], from start: Int, _ slots: [Int]) -> Int {
    let first = pages[start]
    var end = start + 1
    while end < pages.count, pages[end].image == first.image,
      pages[end].entry.location.offset == first.entry.location.offset,
      Int(pages[end].entry.location.slot) == Int(first.entry.location.slot) + end - start,
      slots[end] == slots[start] + end - start
    { end += 1 }
    return end
  }

  @discardableResult
  private func fill(_ buffer: PageBuffer, at slot: Int, _ pages: ArraySlice<Page>)
    throws(CheckpointError) -> RegionHeader
  {
    let page = pages[pages.startIndex]
    let location = page.entry.location
    let image = images[Int(page.image)]
    let key = Key(image: page.image, offset: location.offset)
    let first = Int(location.slot)
    do throws(CheckpointError) {
      let result: RegionHeader
      if let known = cache.withLock({ $0.regions[key] }) {
        result = known.header
        try compare(pages, with: known.header)
        buffer.copy(known.buffer, first..<first + pages.count, to: slot)
      } else {
        let (header, body) = try image.region(at: location)
        result = header
        try compare(pages, with: header)
        let offset = location.offset + UInt64(SegmentFrame.byteCount)
        if header.pageCount == pages.count {
          // The whole region is wanted here: no detour.
          unsafe try RegionCodec.decode(
            body.span.bytes, header, into: buffer, at: slot, offset: offset)
        } else {
          let expanded = Expanded(header: header, buffer: PageBuffer(pages: header.pageCount))
          unsafe try RegionCodec.decode(
            body.span.bytes, header, into: expanded.buffer, at: 0, offset: offset)
          buffer.copy(expanded.buffer, first..<first + pages.count, to: slot)
          cache.withLock { $0.insert(expanded, key) }
        }
      }
      try compareDigests(pages, with: buffer, at: slot)
      return result
    } catch {
      throw error.inFile(image.name)
    }
  }

  /// Fails unless the region's own list of pages agrees with the index.
  private func compare(_ pages: ArraySlice<Page>, with header: RegionHeader) throws(CheckpointError)
  {
    guard let first = pages.first else { return }
    let location = first.entry.location
    var next = pages.startIndex
    try header.forEachPage { (slot, pfn, type) throws(CheckpointError) in
      guard slot >= Int(location.slot), next < pages.endIndex else { return }
      let page = pages[next]
      guard page.pfn == pfn, page.entry.status.type == type else {
        throw CheckpointError(
          .damaged,
          "page \(slot): found PFN \(pfn), type \(type), expected PFN \(page.pfn), type \(page.entry.status.type)",
          structure: "region", offset: location.offset)
      }
      next += 1
    }
    guard next == pages.endIndex else {
      throw CheckpointError(
        .damaged,
        "found \(header.pageCount) pages, expected at least \(Int(location.slot) + pages.count)",
        structure: "region", offset: location.offset)
    }
  }

  private func compareDigests(_ pages: ArraySlice<Page>, with buffer: PageBuffer, at slot: Int)
    throws(CheckpointError)
  {
    try RegionCodec.withHasher { (hasher) throws(CheckpointError) in
      for (place, page) in pages.enumerated() {
        let found = hasher.digest(of: buffer.page(slot + place))
        guard found == page.entry.digest else {
          throw CheckpointError(
            .damaged,
            "digest of PFN \(page.pfn): found \(found), expected \(page.entry.digest)",
            structure: "region", offset: page.entry.location.offset)
        }
      }
    }
  }
}
