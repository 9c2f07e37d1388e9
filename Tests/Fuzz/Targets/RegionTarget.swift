internal import CheckpointCodec
internal import CheckpointImage

enum RegionTarget {
  static func run(_ body: [UInt8]) -> String? {
    let bytes = unsafe body.span.bytes
    guard let header = try? RegionHeader(parsing: bytes, at: 0) else { return nil }
    // A page of zeros on each side, to see whether something was written there.
    let buffer = PageBuffer(pages: header.pageCount + 2)
    buffer.clear(0)
    buffer.clear(header.pageCount + 1)
    try? RegionCodec.decode(bytes, header, into: buffer, at: 1, offset: 0)
    return buffer.isZero(0) && buffer.isZero(header.pageCount + 1)
      ? nil : "written outside of the region's pages"
  }
}
