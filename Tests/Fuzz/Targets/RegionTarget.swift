internal import CheckpointCodec
internal import CheckpointImage

enum RegionTarget {
  static func run(_ body: [UInt8]) -> Outcome {
    let bytes = body.rawSpan
    guard let header = try? RegionHeader(parsing: bytes, at: 0) else { return .refused }
    // A page of zeros on each side, to see whether something was written there.
    let buffer = PageBuffer(pages: header.pageCount + 2)
    buffer.clear(0)
    buffer.clear(header.pageCount + 1)
    let expanded: Void? = try? RegionCodec().decode(bytes, header, into: buffer, at: 1, offset: 0)
    guard buffer.isZero(0), buffer.isZero(header.pageCount + 1) else {
      return .broken("written outside of the region's pages")
    }
    return expanded == nil ? .refused : .accepted
  }
}
