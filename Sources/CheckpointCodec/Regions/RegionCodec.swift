package import CheckpointImage

/// Turns pages into regions and back; all workers may use it at once.
package final class RegionCodec: Sendable {
  private let compressors = ContextPool { Compressor() }
  private let decompressors = ContextPool { Decompressor() }

  /// A codec that has no contexts of the compression libraries yet.
  package init() {}

  /// Compresses some pages of a batch into a region. Pages that do not become smaller are stored as
  /// they are.
  func encode(_ batch: PageBatch, _ slots: Range<Int>, _ settings: CodecSettings)
    -> EncodedRegion
  {
    let pages = batch.pages[slots]
    let runs = Self.runs(of: pages)
    let source = batch.buffer.bytes(slots)
    let head = RegionHeader(codec: settings.codec, runs: runs).encoded()
    let body =
      compressors.withContext { $0.compress(source, behind: head, settings) }
      ?? Self.stored(source, runs)
    let live = pages.enumerated().map {
      EncodedRegion.LivePage(
        slot: UInt8($0.offset), pfn: $0.element.pfn, type: $0.element.type,
        digest: $0.element.digest)
    }
    return EncodedRegion(body: body[...], live: live, deadCopies: 0)
  }

  private static func stored(_ source: RawSpan, _ runs: [PageRun]) -> [UInt8] {
    var body = RegionHeader(codec: .none, runs: runs).encoded()
    unsafe source.withUnsafeBytes { unsafe body.append(contentsOf: $0) }
    return body
  }

  private static func runs(of pages: ArraySlice<PageBatch.Page>) -> [PageRun] {
    var runs: [PageRun] = []
    for page in pages {
      if let last = runs.last, last.pfn + UInt64(last.count) == page.pfn, last.type == page.type {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(PageRun(pfn: page.pfn, count: 1, type: page.type))
      }
    }
    return runs
  }

  /// Expands a region's payload into the first pages of `buffer`, from page `slot` on.
  ///
  /// - Parameters:
  ///   - body: the segment's body, whose checksum was compared.
  ///   - offset: where the body lies in its file.
  package func decode(
    _ body: RawSpan, _ header: RegionHeader, into buffer: PageBuffer, at slot: Int,
    offset: UInt64
  ) throws(CheckpointError) {
    let payload = body.extracting(droppingFirst: header.byteCount)
    let target = unsafe buffer.mutableBytes(slot..<slot + header.pageCount)
    let problem = decompressors.withContext {
      unsafe $0.expand(payload, header.codec, into: target)
    }
    if let problem {
      throw CheckpointError(.damaged, problem, structure: "region", offset: offset)
    }
  }
}
