internal import CheckpointImage

/// The step that compresses gathered pages.
enum RegionEncoding {
  /// Makes the regions of a batch.
  ///
  /// - Parameter proving: every region is expanded again and its pages are hashed, so that nothing
  ///   that cannot be read back is ever written.
  static func encode(_ batch: PageBatch, _ settings: CodecSettings, proving: Bool)
    throws(CheckpointError) -> [EncodedRegion]
  {
    var regions: [EncodedRegion] = []
    for start in stride(from: 0, to: batch.pages.count, by: settings.regionPages) {
      let end = min(start + settings.regionPages, batch.pages.count)
      let region = RegionCodec.encode(batch, start..<end, settings)
      if proving { try prove(region) }
      regions.append(region)
    }
    return regions
  }

  private static func prove(_ region: EncodedRegion) throws(CheckpointError) {
    let body = unsafe region.body.span.bytes
    let header = try RegionHeader(parsing: body, at: 0)
    let buffer = PageBuffer()
    try RegionCodec.decode(body, header, into: buffer, at: 0, offset: 0)
    try RegionCodec.withHasher { (hasher) throws(CheckpointError) in
      for page in region.live {
        guard hasher.digest(of: buffer.page(Int(page.slot))) == page.digest else {
          throw CheckpointError(
            .damaged, "PFN \(page.pfn) does not come back from compression", structure: "region")
        }
      }
    }
  }
}
