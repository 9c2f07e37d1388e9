internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Reads what is wanted of one region of a damaged image. Nothing passes of which the region's checksum and
/// list of pages do not agree with the evidence; what does not pass is unreadable.
struct SalvagedRegion: Sendable {
  /// Pages that lie one after the other.
  struct Run: Sendable {
    var pfn: PFN
    var count: UInt16
    var type: PageType
    var slot: UInt8
    /// Whether an index block has their digests.
    var isIndexed: Bool

    /// Whether a page is the next one.
    func precedes(_ pfn: PFN, _ entry: PageEntry, isIndexed: Bool) -> Bool {
      self.pfn + UInt64(count) == pfn && type == entry.status.type && self.isIndexed == isIndexed
        && Int(slot) + Int(count) == Int(entry.location.slot)
    }
  }

  var offset: UInt64
  var runs: [Run] = []

  /// The pages: those that are rescued first, as data or zero, then the others.
  func read(_ evidence: SalvageEvidence, _ tally: SalvageTally) throws(CheckpointError)
    -> PageBatch
  {
    let buffer = evidence.buffers.buffer()
    var batch = PageBatch(buffer: buffer, pages: [])
    var lost: [PageBatch.Page] = []
    func lose(_ run: Run, _ index: Int) {
      var page = PageBatch.Page(pfn: run.pfn + UInt64(index), type: run.type)
      page.state = .unreadable
      lost.append(page)
      tally.lose(page.pfn..<page.pfn + 1)
    }
    let region: (header: RegionHeader, buffer: PageBuffer)
    do throws(CheckpointError) {
      region = try expand(evidence)
    } catch {
      if error.kind == .interrupted { throw error }
      tally.note(error.inFile(evidence.file.name))
      for run in runs { for index in 0..<Int(run.count) { lose(run, index) } }
      batch.pages = lost
      return batch
    }
    let (pages, expanded) = (Self.pages(of: region.header), region.buffer)
    var digests = ExpectedDigests(evidence)
    try evidence.hashers.withContext { (hasher) throws(CheckpointError) in
      for run in runs {
        var rescued = 0
        for index in 0..<Int(run.count) {
          let slot = Int(run.slot) + index
          var page = PageBatch.Page(pfn: run.pfn + UInt64(index), type: run.type)
          guard slot < pages.count, pages[slot] == page else {
            lose(run, index)
            continue
          }
          page.digest = hasher.digest(of: expanded.page(slot))
          if run.isIndexed, try digests.digest(of: page.pfn) != page.digest {
            tally.note(
              CheckpointError(
                .damaged, "digest of PFN \(page.pfn): not the one in the index",
                structure: "region", offset: offset, file: evidence.file.name))
            lose(run, index)
            continue
          }
          if expanded.isZero(slot) {
            page.state = .zero
            page.digest = .zero
          }
          buffer.copy(expanded, slot..<slot + 1, to: batch.pages.count)
          batch.pages.append(page)
          rescued += 1
        }
        tally.rescue(rescued, indexed: run.isIndexed)
      }
    }
    batch.pages += lost
    return batch
  }

  private func expand(_ evidence: SalvageEvidence) throws(CheckpointError) -> (
    header: RegionHeader, buffer: PageBuffer
  ) {
    let body = try evidence.body(at: offset, .region)
    let start = offset + UInt64(SegmentFrame.byteCount)
    let header = try RegionHeader(parsing: body.rawSpan, at: start)
    let buffer = evidence.buffers.buffer(pages: header.pageCount)
    try evidence.codec.decode(body.rawSpan, header, into: buffer, at: 0, offset: start)
    return (header, buffer)
  }

  private static func pages(of header: RegionHeader) -> [PageBatch.Page] {
    header.runs.flatMap { run in
      (run.pfn..<run.pfn + UInt64(run.count)).map { PageBatch.Page(pfn: $0, type: run.type) }
    }
  }
}

/// The digests in index blocks, looked up by PFN; neighbours are in one block.
private struct ExpectedDigests {
  private let evidence: SalvageEvidence
  private var block: IndexBlock?

  init(_ evidence: SalvageEvidence) { self.evidence = evidence }

  mutating func digest(of pfn: PFN) throws(CheckpointError) -> Digest? {
    let number = BlockNumber(containing: pfn)
    if block?.number != number { block = try evidence.indexBlock(number) }
    return block?.entry(slot: number.slot(of: pfn))?.digest
  }
}
