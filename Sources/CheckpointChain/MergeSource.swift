public import CheckpointCodec
public import CheckpointImage

/// The youngest copies of a span of images, as events for a new image.
///
/// Regions whose pages mostly live are handed on as they are; of the others the living pages are expanded.
/// Images come oldest first, so that a dead copy that is carried along never follows the living one.
public final class MergeSource: CheckpointSource {
  /// What became of the regions.
  public struct Counts: Sendable {
    /// Handed on without being expanded.
    public var copied = 0
    /// Expanded, because too few of their pages live or another codec is wanted.
    public var repacked = 0
  }

  /// A region some of whose pages live.
  private struct LiveRegion {
    var image: Int
    var location: PageLocation
    var livePages = 1
  }

  private let chain: Chain
  private let recoding: Bool
  private var records: ArraySlice<MachineRecord>
  private var layoutItems: [LayoutItem] = []
  private var layoutSegments: ArraySlice<ImageRoot.DirectoryEntry>
  private var regions: [LiveRegion] = []
  private var nextRegion = 0
  private var states: [StateExtent] = []
  private var nextState = 0
  private var passBegun = false
  /// Counted by the workers' results as they pass: see `count`.
  private let tally = MergeTally()

  /// What became of the regions so far.
  public var counts: Counts { tally.counts }
  /// How many of the regions were given out.
  public var fractionDone: Double? {
    regions.isEmpty ? nil : Double(nextRegion) / Double(regions.count)
  }

  /// The events of the youngest `span` images of a chain.
  ///
  /// - Parameter recoding: every region is expanded, to be compressed anew.
  public init(_ chain: Chain, span: Int, recoding: Bool) throws(CheckpointError) {
    self.chain = chain
    self.recoding = recoding
    records = try Self.records(chain, span: span)[...]
    layoutSegments =
      chain.tip.root.directory.filter {
        $0.rawKind == SegmentKind.layout.rawValue
      }[...]
    try collect(chain.images[..<span])
  }

  /// Payloads that images before the span hold stay there.
  private static func records(_ chain: Chain, span: Int) throws(CheckpointError) -> [MachineRecord]
  {
    let complete = try chain.completeRecords()
    guard span < chain.images.count else { return complete }
    let kept = Set(try chain.ancestor(span).records)
    return complete.map {
      $0.key.class != .epoch && kept.contains($0.key) ? $0.inherited : $0
    }
  }

  /// Goes through the index block by block: which regions have living pages, and the other states.
  private func collect(_ images: ArraySlice<ImageFile>) throws(CheckpointError) {
    var places: [Int: [UInt64: Int]] = [:]
    var numbers: Set<UInt64> = []
    for image in images { numbers.formUnion(image.root.blocks.map(\.number)) }
    for number in numbers.sorted() {
      try Interruption.check()
      guard let block = try chain.block(number) else { continue }
      for slot in 0..<Limits.blockPages {
        let (entry, image) = (block.entries[slot], Int(block.image[slot]))
        guard images.indices.contains(image) else { continue }
        guard entry.status.state == .data else {
          let pfn = number * UInt64(Limits.blockPages) + UInt64(slot)
          add(StateExtent(pfn: pfn, count: 1, status: entry.status))
          continue
        }
        if let place = places[image]?[entry.location.offset] {
          regions[place].livePages += 1
        } else {
          places[image, default: [:]][entry.location.offset] = regions.count
          regions.append(LiveRegion(image: image, location: entry.location))
        }
      }
    }
    regions.sort { ($1.image, $0.location.offset) < ($0.image, $1.location.offset) }
  }

  private func add(_ extent: StateExtent) {
    if let last = states.last, last.end == extent.pfn, last.status == extent.status {
      states[states.count - 1].count += extent.count
    } else {
      states.append(extent)
    }
  }

  /// The next event.
  public func next() throws(CheckpointError) -> CheckpointEvent? {
    if let record = records.popFirst() { return .record(record) }
    if let item = try nextLayoutItem() { return .layout(item) }
    if nextRegion < regions.count {
      let region = regions[nextRegion]
      nextRegion += 1
      return .deferred { [chain, recoding, tally] () throws(CheckpointError) in
        try Self.read(region, of: chain, recoding, tally)
      }
    }
    if !passBegun {
      // What follows overrules the dead copies in the regions.
      passBegun = true
      return .newPass
    }
    guard nextState < states.count else { return nil }
    nextState += 1
    return .states(states[nextState - 1])
  }

  private func nextLayoutItem() throws(CheckpointError) -> LayoutItem? {
    if layoutItems.isEmpty {
      guard let segment = layoutSegments.popFirst() else { return nil }
      let body = try chain.tip.body(of: segment)
      layoutItems = unsafe try LayoutItem.parseList(
        body.span.bytes, at: segment.offset + UInt64(SegmentFrame.byteCount)
      ).reversed()
    }
    return layoutItems.popLast()
  }

  private static func read(
    _ live: LiveRegion, of chain: Chain, _ recoding: Bool, _ tally: MergeTally
  ) throws(CheckpointError) -> CheckpointEvent {
    let image = chain.images[live.image]
    let region = try image.region(at: live.location)
    let pages = try livePages(of: region.header, live, chain)
    let total = region.header.pageCount
    // Kept whole if three quarters live: the bound that keeps a merge within 1.06 of a fresh capture.
    let keep = pages.count * 4 >= total * 3 && !recoding
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
    return .pages(try gather(pages, from: buffer, live, image))
  }

  /// The pages of a region that the chain's index refers to. The index must name no others there.
  private static func livePages(
    of header: RegionHeader, _ live: LiveRegion, _ chain: Chain
  ) throws(CheckpointError) -> [EncodedRegion.LivePage] {
    var pages: [EncodedRegion.LivePage] = []
    pages.reserveCapacity(live.livePages)
    var block: ChainBlock?
    try header.forEachPage { (slot, pfn, type) throws(CheckpointError) in
      let (number, place) = pfn.quotientAndRemainder(dividingBy: UInt64(Limits.blockPages))
      if block?.number != number { block = try chain.block(number) }
      guard let entry = block?.entries[Int(place)],
        block?.image[Int(place)] == Int32(live.image),
        entry.status == PageStatus(.data, type: type),
        entry.location
          == PageLocation(
            offset: live.location.offset, length: live.location.length, slot: UInt8(slot))
      else { return }
      pages.append(
        EncodedRegion.LivePage(slot: UInt8(slot), pfn: pfn, type: type, digest: entry.digest))
    }
    guard pages.count == live.livePages else {
      throw CheckpointError(
        .damaged,
        "the index names \(live.livePages) of its pages, and \(pages.count) of them are there",
        structure: "region", offset: live.location.offset, file: chain.images[live.image].name)
    }
    return pages
  }

  /// The living pages, their digests compared.
  private static func gather(
    _ live: [EncodedRegion.LivePage], from expanded: PageBuffer, _ region: LiveRegion,
    _ image: ImageFile
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
            structure: "region", offset: region.location.offset, file: image.name)
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
