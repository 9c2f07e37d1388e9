internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// The pages of regions that reach over many blocks, where a chain has more of them than can be kept expanded
/// while its memory is read in order: each is expanded once, and its living pages wait in a temporary file.
final class ScatteredPages: EventSink, Sendable {
  typealias Event = PageBatch

  private struct Region: Hashable {
    var image: Int32
    var offset: UInt64
  }

  private let regions: Set<Region>
  /// Each block's number among the populated ones.
  private let ranks: [BlockNumber: UInt64]
  private let spool: PageSpool
  private let hashers = HasherPool()

  private init(_ regions: Set<Region>, _ ranks: [BlockNumber: UInt64], _ cancellation: Cancellation)
    throws(CheckpointError)
  {
    self.regions = regions
    self.ranks = ranks
    spool = try PageSpool(cancellation: cancellation)
  }

  /// Gathers the scattered pages of some blocks, given in ascending order; nil if they are few enough for
  /// `room`, the bytes of regions that are kept expanded.
  static func gather(_ chain: Chain, _ blocks: [BlockNumber], room: Int, on pool: WorkerPool)
    throws(CheckpointError) -> ScatteredPages?
  {
    guard mayScatter(chain, room) else { return nil }
    let regions = try chain.liveRegions(span: chain.images.count, blocks: blocks)
    let ranks = Dictionary(
      uniqueKeysWithValues: blocks.enumerated().map { ($1, UInt64($0)) })
    func reach(_ region: LiveRegion) -> ClosedRange<Int> {
      Int(ranks[region.firstBlock] ?? 0)...Int(ranks[region.lastBlock] ?? 0)
    }
    // How much must be kept at each block for nothing to be expanded twice.
    var changes = [Int](repeating: 0, count: blocks.count + 1)
    for region in regions {
      let size = ((region.live.members.last ?? 0) + 1) * Limits.pageSize
      changes[reach(region).lowerBound] += size
      changes[reach(region).upperBound + 1] -= size
    }
    var (kept, most) = (0, 0)
    for change in changes {
      kept += change
      most = max(most, kept)
    }
    guard most > room / 2 else { return nil }
    // A region that ends in the next block is expanded twice at most.
    let scattered = regions.filter { reach($0).count > 2 }
    let pages = try ScatteredPages(
      Set(scattered.map { Region(image: Int32($0.image), offset: $0.location.offset) }), ranks,
      pool.cancellation)
    let merge = RegionMerge(chain: chain, span: chain.images.count, recoding: true, pool.buffers)
    try Pipeline(Source(scattered, merge), on: pool).resolveDeferred().run(into: pages)
    return pages
  }

  /// Whether what is stored out of order could be more than half of what is kept; the other half is for
  /// regions that come in order.
  private static func mayScatter(_ chain: Chain, _ room: Int) -> Bool {
    var left = UInt64(room / 2 / Limits.pageSize)
    for image in chain.images where !(image.header.ascendingUnique && image.header.parent == nil) {
      let (pages, overflow) =
        image.root.count(.data).addingReportingOverflow(image.root.deadCopies)
      guard !overflow, pages <= left else { return true }
      left -= pages
    }
    return false
  }

  /// Whether the pages of a region are here.
  func holds(image: Int32, _ location: PageLocation) -> Bool {
    regions.contains(Region(image: image, offset: location.offset))
  }

  /// Reads a page.
  func read(_ pfn: PFN, _ digest: Digest, to slot: Int, of buffer: PageBuffer)
    throws(CheckpointError)
  {
    guard let place = place(pfn) else {
      throw CheckpointError(.refused, "PFN \(pfn) was not gathered")
    }
    try spool.read(place, to: slot, of: buffer)
    let found = hashers.withContext { $0.digest(of: buffer.page(slot)) }
    guard found == digest else {
      throw CheckpointError(
        .io,
        "digest of PFN \(pfn), read again from a temporary file: found \(found), "
          + "expected \(digest)")
    }
  }

  private func place(_ pfn: PFN) -> UInt64? {
    let block = BlockNumber(containing: pfn)
    return ranks[block].map { BlockNumber($0).pfn(block.slot(of: pfn)) }
  }

  func receive(_ batch: PageBatch) throws(CheckpointError) {
    for (slot, page) in batch.pages.enumerated() {
      guard let place = place(page.pfn) else { continue }
      try spool.write(batch.buffer, slot, at: place)
    }
  }

  func finish() throws(CheckpointError) {}
}

extension ScatteredPages {
  private final class Source: EventSource {
    private var regions: ArraySlice<LiveRegion>
    private let merge: RegionMerge

    var fractionDone: Double? { nil }

    init(_ regions: [LiveRegion], _ merge: RegionMerge) {
      self.regions = regions[...]
      self.merge = merge
    }

    func next() throws(CheckpointError) -> Deferred<PageBatch>? {
      guard let region = regions.popFirst() else { return nil }
      return Deferred { [merge] () throws(CheckpointError) in try merge.expand(region) }
    }
  }
}
