package import CheckpointCodec
package import CheckpointImage
package import Storage

/// Writes a kdump-compressed file: each page is compressed by itself, and all zero pages share one copy.
///
/// Descriptors come before the contents and hold their offsets, so the output must be seekable.
package final class KdumpWriter: EventSink {
  package typealias Event = [EncodedRegion]

  private let output: any SeekableSink
  private let header: KdumpHeader
  private var runs: ArraySlice<Range<PFN>>
  /// The number of pages in the runs that were passed already.
  private var ranks: UInt64 = 0
  /// Descriptors not yet written, from that of page `described` on.
  private var descriptors = WireWriter()
  private var described: UInt64 = 0
  private var offset: UInt64

  /// Writes the header and the bitmaps.
  ///
  /// - Parameters:
  ///   - populated: the pages of the machine.
  ///   - dumped: the pages that the file will contain, as many as `header` states; those that are never
  ///     received are zeros.
  package init(
    _ sink: any ByteSink, _ header: KdumpHeader, populated: [Range<PFN>], dumped: [Range<PFN>]
  ) throws(CheckpointError) {
    guard let output = sink.seekable else {
      throw CheckpointError(
        .refused, "is not a file: kdump cannot be written in one pass",
        file: sink.name, hint: .exportELF)
    }
    self.output = output
    self.header = header
    runs = dumped[...]
    offset = header.dataOffset
    let head = header.encoded()
    try output.write(head.rawSpan, at: 0)
    let size = UInt64(header.bitmapBlocks * Limits.pageSize)
    try writeBitmap(populated, at: header.bitmapOffset)
    try writeBitmap(dumped, at: header.bitmapOffset + size)
    // The page that all zero pages share.
    try append([UInt8](repeating: 0, count: Limits.pageSize))
  }

  /// Writes regions of one page each, in ascending order.
  package func receive(_ regions: [EncodedRegion]) throws(CheckpointError) {
    for region in regions {
      guard let page = region.live.first, let rank = rank(of: page.pfn) else { continue }
      let body = region.body.rawSpan
      let head = try RegionHeader(parsing: body, at: 0)
      let payload = body.extracting(droppingFirst: head.byteCount)
      try describeZeros(upTo: rank)
      try describe(size: payload.byteCount, head.codec, at: offset)
      try output.write(payload, at: offset)
      offset += UInt64(payload.byteCount)
    }
  }

  /// Writes the remaining descriptors.
  package func finish() throws(CheckpointError) {
    try describeZeros(upTo: header.dumped)
    try flush()
    try output.setLength(offset)
  }

  /// The index of a page among those in the file; nil if it is left out.
  private func rank(of pfn: PFN) -> UInt64? {
    while let run = runs.first, run.upperBound <= pfn {
      ranks += UInt64(run.count)
      runs.removeFirst()
    }
    guard let run = runs.first, run.contains(pfn) else { return nil }
    return ranks + (pfn - run.lowerBound)
  }

  private func append(_ bytes: [UInt8]) throws(CheckpointError) {
    try output.write(bytes.rawSpan, at: offset)
    offset += UInt64(bytes.count)
  }

  private func describeZeros(upTo rank: UInt64) throws(CheckpointError) {
    while described + UInt64(descriptors.bytes.count / KdumpHeader.descriptorSize) < rank {
      try describe(size: Limits.pageSize, .none, at: header.dataOffset)
    }
  }

  private func describe(size: Int, _ codec: CodecID, at offset: UInt64) throws(CheckpointError) {
    descriptors.write(offset)
    descriptors.write(UInt32(size))
    descriptors.write(codec.kdumpFlag)
    // The flags of the guest's own page descriptor, which no reader uses.
    descriptors.write(UInt64(0))
    if descriptors.bytes.count >= 1 << 20 { try flush() }
  }

  private func flush() throws(CheckpointError) {
    let place = header.descriptorsOffset + described * UInt64(KdumpHeader.descriptorSize)
    let bytes = descriptors.bytes
    try output.write(bytes.rawSpan, at: place)
    described += UInt64(descriptors.bytes.count / KdumpHeader.descriptorSize)
    descriptors = WireWriter(capacity: 1 << 20)
  }

  /// Writes a bitmap in pieces; where it has no pages, the file has a hole.
  private func writeBitmap(_ runs: [Range<PFN>], at offset: UInt64) throws(CheckpointError) {
    let pagesOfPiece = UInt64(8 * Limits.pageSize)
    var rest = runs[...]
    while let first = rest.first {
      let piece = first.lowerBound / pagesOfPiece
      let start = piece * pagesOfPiece
      var bits = [UInt8](repeating: 0, count: Limits.pageSize)
      while let run = rest.first, run.lowerBound < start + pagesOfPiece {
        let end = min(run.upperBound, start + pagesOfPiece)
        for pfn in run.lowerBound..<end { bits[Int(pfn - start) / 8] |= 1 << UInt8(pfn % 8) }
        if end == run.upperBound {
          rest.removeFirst()
        } else {
          rest[rest.startIndex] = end..<run.upperBound
        }
      }
      try output.write(bits.rawSpan, at: offset + piece * UInt64(Limits.pageSize))
    }
  }
}

extension CodecID {
  /// The codec as a flag in a page descriptor.
  var kdumpFlag: UInt32 {
    switch self {
    case .none: 0
    case .zlib: KdumpHeader.zlib
    case .zstd: KdumpHeader.zstd
    }
  }
}
