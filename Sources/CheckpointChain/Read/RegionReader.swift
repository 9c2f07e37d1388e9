internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Expands regions and lets no page pass whose number, type or digest is not the one in the index.
final class RegionReader: Sendable {
  /// A stored page and where it is.
  struct Page: Sendable {
    var pfn: PFN
    /// The image's place in the list of images.
    var image: Int32
    var entry: PageEntry
  }

  private let images: [ImageFile]
  private let expanded: SharedCache<ExpandedRegion.Key, ExpandedRegion>
  private let codec = RegionCodec()
  private let hashers = HasherPool()
  private let buffers: PageBufferPool

  /// A reader of some images; regions are expanded into buffers of a pool, which others may use too.
  init(_ images: [ImageFile], _ buffers: PageBufferPool) {
    self.images = images
    self.buffers = buffers
    expanded = SharedCache(limit: ExpandedRegion.limit(images: images.count))
  }

  /// Reads up to 256 pages; page `n` goes to slot `slots[n]` of `buffer`.
  func read(_ pages: [Page], to slots: [Int], of buffer: PageBuffer) throws(CheckpointError) {
    var failure: CheckpointError?
    forEachRun(pages) { run, result in
      do throws(CheckpointError) {
        let region = try result.get()
        // Where neither leaves a gap, all at once.
        var start = run.lowerBound
        while start < run.upperBound {
          var end = start + 1
          while end < run.upperBound, slots[end] == slots[start] + end - start { end += 1 }
          let first = Int(pages[start].entry.location.slot)
          buffer.copy(region.buffer, first..<first + end - start, to: slots[start])
          start = end
        }
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  /// A region that was read and checked.
  struct CheckedRegion: Sendable {
    var place: SegmentPlace
    var header: RegionHeader
  }

  /// Checks pages. Returns what is wrong with each region concerned, and those that could be read, by offset.
  func check(_ pages: [Page]) -> (errors: [CheckpointError], regions: [UInt64: CheckedRegion]) {
    var errors: [CheckpointError] = []
    var regions: [UInt64: CheckedRegion] = [:]
    forEachRun(pages) { run, result in
      switch result {
      case .success(let region):
        regions[region.place.offset] = CheckedRegion(place: region.place, header: region.header)
      case .failure(let error): errors.append(error)
      }
    }
    return (errors, regions)
  }

  /// Pages that lie in one region, as runs of pages that follow each other there too.
  private struct RegionPages {
    let key: ExpandedRegion.Key
    var runs: [Range<Int>] = []

    var pageCount: Int { runs.reduce(0) { $0 + $1.count } }
  }

  /// The pages by region, in the order of the regions' first pages.
  private static func regions(of pages: [Page]) -> [RegionPages] {
    var regions: [RegionPages] = []
    var places: [ExpandedRegion.Key: Int] = [:]
    var start = 0
    while start < pages.count {
      let end = endOfRun(pages, from: start)
      let key = key(pages[start])
      let place = places[key] ?? regions.count
      if place == regions.count {
        places[key] = place
        regions.append(RegionPages(key: key))
      }
      regions[place].runs.append(start..<end)
      start = end
    }
    return regions
  }

  /// Expands the regions of the pages, checks the pages, and calls `body` for each run of them. What other threads
  /// expand comes last: every thread first does what others may be waiting for.
  private func forEachRun(
    _ pages: [Page],
    _ body: (Range<Int>, Result<ExpandedRegion, CheckpointError>) -> Void
  ) {
    // A few regions at a time: pages may lie in as many regions, of 1 MiB each.
    var rest = Self.regions(of: pages)[...]
    while !rest.isEmpty {
      forEachRun(pages, rest.prefix(Self.regionsAtOnce), body)
      rest = rest.dropFirst(Self.regionsAtOnce)
    }
  }

  private static let regionsAtOnce = 8

  private func forEachRun(
    _ pages: [Page], _ regions: ArraySlice<RegionPages>,
    _ body: (Range<Int>, Result<ExpandedRegion, CheckpointError>) -> Void
  ) {
    var own: [RegionPages] = []
    var others: [(RegionPages, Future<ExpandedRegion>)] = []
    for region in regions {
      let (future, isNew) = expanded.claim(region.key)
      if isNew { own.append(region) } else { others.append((region, future)) }
    }
    for region in own {
      let page = pages[region.runs[0].lowerBound]
      let result = expand(page.entry.location, of: images[Int(page.image)])
      expanded.complete(
        region.key, result, cost: (try? result.get().header.expandedSize) ?? Limits.pageSize)
      check(pages, region, result, body)
    }
    for (region, future) in others {
      let result: Result<ExpandedRegion, CheckpointError>
      do throws(CheckpointError) {
        result = .success(try future.wait())
      } catch {
        result = .failure(error)
      }
      check(pages, region, result, body)
    }
  }

  private static func key(_ page: Page) -> ExpandedRegion.Key {
    ExpandedRegion.Key(
      image: page.image, offset: page.entry.location.offset,
      length: page.entry.location.length)
  }

  /// The end of the pages from `start` on that lie one after the other in one region.
  private static func endOfRun(_ pages: [Page], from start: Int) -> Int {
    let first = pages[start]
    var end = start + 1
    while end < pages.count, key(pages[end]) == key(first),
      Int(pages[end].entry.location.slot) == Int(first.entry.location.slot) + end - start
    { end += 1 }
    return end
  }

  private func expand(_ location: PageLocation, of image: ImageFile)
    -> Result<ExpandedRegion, CheckpointError>
  {
    do throws(CheckpointError) {
      let region = try image.region(at: location)
      let buffer = buffers.buffer(pages: region.header.pageCount)
      do throws(CheckpointError) {
        try codec.decode(
          region.body.rawSpan, region.header, into: buffer, at: 0,
          offset: location.offset + UInt64(SegmentFrame.byteCount))
      } catch {
        throw error.inFile(image.name)
      }
      return .success(
        ExpandedRegion(place: region.place, header: region.header, buffer: buffer))
    } catch {
      return .failure(error)
    }
  }

  /// Calls `body` for each run of a region's pages: with the region, or with what is wrong with these pages.
  private func check(
    _ pages: [Page], _ wanted: RegionPages, _ result: Result<ExpandedRegion, CheckpointError>,
    _ body: (Range<Int>, Result<ExpandedRegion, CheckpointError>) -> Void
  ) {
    let image = images[Int(wanted.key.image)]
    do throws(CheckpointError) {
      let region = try result.get()
      // Most work reads each page once: then nobody comes back, and the next region finds memory that the processor
      // still has in its caches.
      if region.pagesRead.add(wanted.pageCount) >= region.header.pageCount {
        expanded.remove(wanted.key)
      }
      let listed = try Self.listedPages(region.header)
      hashers.withContext { hasher in
        for run in wanted.runs {
          do throws(CheckpointError) {
            try Self.compare(pages[run], with: listed)
            try Self.compareDigests(pages[run], with: region.buffer, hasher)
            body(run, result)
          } catch {
            body(run, .failure(error.inFile(image.name)))
          }
        }
      }
    } catch {
      for run in wanted.runs { body(run, .failure(error.inFile(image.name))) }
    }
  }

  /// The region's own list of its pages, by slot.
  private static func listedPages(_ header: RegionHeader) throws(CheckpointError) -> [(
    PFN, PageType
  )] {
    var listed: [(PFN, PageType)] = []
    listed.reserveCapacity(header.pageCount)
    try header.forEachPage { (_, pfn, type) throws(CheckpointError) in listed.append((pfn, type)) }
    return listed
  }

  /// Fails unless the region's own list of pages agrees with the index.
  private static func compare(_ pages: ArraySlice<Page>, with listed: [(PFN, PageType)])
    throws(CheckpointError)
  {
    for page in pages {
      let slot = Int(page.entry.location.slot)
      guard slot < listed.count else {
        throw CheckpointError(
          .damaged, "found \(listed.count) pages, expected at least \(slot + 1)",
          structure: "region", offset: page.entry.location.offset)
      }
      let (pfn, type) = listed[slot]
      guard page.pfn == pfn, page.entry.status.type == type else {
        throw CheckpointError(
          .damaged,
          "page \(slot): found PFN \(pfn), type \(type), expected PFN \(page.pfn), type \(page.entry.status.type)",
          structure: "region", offset: page.entry.location.offset)
      }
    }
  }

  private static func compareDigests(
    _ pages: ArraySlice<Page>, with buffer: PageBuffer, _ hasher: SHA256Hasher
  ) throws(CheckpointError) {
    for page in pages {
      let found = hasher.digest(of: buffer.page(Int(page.entry.location.slot)))
      guard found == page.entry.digest else {
        throw CheckpointError(
          .damaged,
          "digest of PFN \(page.pfn): found \(found), expected \(page.entry.digest)",
          structure: "region", offset: page.entry.location.offset)
      }
    }
  }
}
