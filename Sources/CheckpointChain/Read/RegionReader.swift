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
  private let buffers = PageBufferPool()

  init(_ images: [ImageFile]) {
    self.images = images
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

  /// Checks pages. Returns what is wrong with each region concerned, and the headers of those that could
  /// be read, by offset.
  func check(_ pages: [Page]) -> (errors: [CheckpointError], regions: [UInt64: RegionHeader]) {
    var errors: [CheckpointError] = []
    var regions: [UInt64: RegionHeader] = [:]
    forEachRun(pages) { run, result in
      switch result {
      case .success(let region):
        regions[pages[run.lowerBound].entry.location.offset] = region.header
      case .failure(let error): errors.append(error)
      }
    }
    return (errors, regions)
  }

  /// Expands the region of each run of pages, checks the pages, and calls `body`. What other threads
  /// expand comes last: every thread first does what others may be waiting for.
  private func forEachRun(
    _ pages: [Page],
    _ body: (Range<Int>, Result<ExpandedRegion, CheckpointError>) -> Void
  ) {
    var runs: [Range<Int>] = []
    var start = 0
    while start < pages.count {
      runs.append(start..<Self.endOfRun(pages, from: start))
      start = runs[runs.count - 1].upperBound
    }
    // A few regions at a time: pages may lie in as many regions, of 1 MiB each.
    while !runs.isEmpty {
      forEachRun(pages, runs.prefix(Self.regionsAtOnce), body)
      runs.removeFirst(min(runs.count, Self.regionsAtOnce))
    }
  }

  private static let regionsAtOnce = 8

  private func forEachRun(
    _ pages: [Page], _ runs: ArraySlice<Range<Int>>,
    _ body: (Range<Int>, Result<ExpandedRegion, CheckpointError>) -> Void
  ) {
    var own: [Range<Int>] = []
    var others: [(Range<Int>, Future<ExpandedRegion>)] = []
    for run in runs {
      let (region, isNew) = expanded.claim(Self.key(pages[run.lowerBound]))
      if isNew { own.append(run) } else { others.append((run, region)) }
    }
    for run in own {
      let page = pages[run.lowerBound]
      let result = expand(page.entry.location, of: images[Int(page.image)])
      expanded.complete(
        Self.key(page), result,
        cost: (try? result.get().header.expandedSize) ?? Limits.pageSize)
      body(run, check(pages[run], result))
    }
    for (run, region) in others {
      let result: Result<ExpandedRegion, CheckpointError>
      do throws(CheckpointError) {
        result = .success(try region.wait())
      } catch {
        result = .failure(error)
      }
      body(run, check(pages[run], result))
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
    while end < pages.count, pages[end].image == first.image,
      pages[end].entry.location.offset == first.entry.location.offset,
      Int(pages[end].entry.location.slot) == Int(first.entry.location.slot) + end - start
    { end += 1 }
    return end
  }

  private func expand(_ location: PageLocation, of image: ImageFile)
    -> Result<ExpandedRegion, CheckpointError>
  {
    do throws(CheckpointError) {
      let (header, body) = try image.region(at: location)
      let buffer = buffers.buffer(pages: header.pageCount)
      do throws(CheckpointError) {
        try codec.decode(
          body.rawSpan, header, into: buffer, at: 0,
          offset: location.offset + UInt64(SegmentFrame.byteCount))
      } catch {
        throw error.inFile(image.name)
      }
      return .success(ExpandedRegion(header: header, buffer: buffer))
    } catch {
      return .failure(error)
    }
  }

  private func check(
    _ pages: ArraySlice<Page>, _ result: Result<ExpandedRegion, CheckpointError>
  ) -> Result<ExpandedRegion, CheckpointError> {
    do throws(CheckpointError) {
      let region = try result.get()
      do throws(CheckpointError) {
        try compare(pages, with: region.header)
        try compareDigests(pages, with: region.buffer)
      } catch {
        throw error.inFile(images[Int(pages[pages.startIndex].image)].name)
      }
      return .success(region)
    } catch {
      return .failure(error)
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

  private func compareDigests(_ pages: ArraySlice<Page>, with buffer: PageBuffer)
    throws(CheckpointError)
  {
    try hashers.withContext { (hasher) throws(CheckpointError) in
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
}
