internal import CheckpointImage

/// The step that compresses gathered pages.
struct RegionEncoding: Sendable {
  private let settings: CodecSettings
  private let proving: Bool
  private let codec = RegionCodec()
  private let hashers = HasherPool()
  private let buffers: PageBufferPool

  /// - Parameter proving: every region is expanded again and its pages are hashed.
  init(_ settings: CodecSettings, proving: Bool, _ buffers: PageBufferPool) {
    self.settings = settings
    self.proving = proving
    self.buffers = buffers
  }

  /// The regions of a batch's pages that have contents.
  func encode(_ batch: PageBatch) throws(CheckpointError) -> [EncodedRegion] {
    var regions: [EncodedRegion] = []
    var start = 0
    while start < batch.pages.count {
      // Pages without contents are in no region.
      guard batch.pages[start].state == .data else {
        start += 1
        continue
      }
      var end = start + 1
      while end < batch.pages.count, end - start < settings.regionPages,
        batch.pages[end].state == .data
      { end += 1 }
      let region = codec.encode(batch, start..<end, settings)
      if proving { try prove(region) }
      regions.append(region)
      start = end
    }
    return regions
  }

  private func prove(_ region: EncodedRegion) throws(CheckpointError) {
    let body = region.body.rawSpan
    let header = try RegionHeader(parsing: body, at: 0)
    let buffer = buffers.buffer()
    try codec.decode(body, header, into: buffer, at: 0, offset: 0)
    try hashers.withContext { (hasher) throws(CheckpointError) in
      for page in region.live {
        guard hasher.digest(of: buffer.page(Int(page.slot))) == page.digest else {
          throw CheckpointError(
            .damaged, "PFN \(page.pfn) does not come back from compression", structure: "region")
        }
      }
    }
  }
}
