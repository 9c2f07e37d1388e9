internal import CheckpointImage

enum StructureTarget {
  /// The first byte chooses the structure, the others are its bytes.
  static func run(_ input: [UInt8]) -> Outcome {
    guard let first = input.first else { return .refused }
    var body = Array(input.dropFirst())
    // The checksum of a frame would keep everything else out.
    if first == 0 { SealedImage.sealFrame(&body) }
    guard let rewritten = try? rewrite(first, body) else { return .refused }
    return rewritten == body
      ? .accepted : .broken("structure \(first) is accepted in another form")
  }

  /// Reads a structure and writes it again.
  private static func rewrite(_ structure: UInt8, _ body: [UInt8]) throws(CheckpointError)
    -> [UInt8]?
  {
    let bytes = body.rawSpan
    switch structure {
    case 0:
      // Frames and regions' headers are read from the start of longer bytes.
      return try SegmentFrame(parsing: bytes, at: 0).encoded()
        + body.dropFirst(SegmentFrame.byteCount)
    case 1: return try ImageHeader(parsing: bytes, at: 0).encoded()
    case 2: return try MachineRecord(parsing: bytes, at: 0).encoded()
    case 3:
      let header = try RegionHeader(parsing: bytes, at: 0)
      return header.encoded() + body.dropFirst(header.byteCount)
    case 4: return StateExtent.encodeList(try StateExtent.parseList(bytes, at: 0))
    case 5: return LayoutItem.encodeList(try LayoutItem.parseList(bytes, at: 0))
    case 6: return try Provenance(parsing: bytes, at: 0).encoded()
    case 7: return try IndexBlock(parsing: bytes, at: 0).encoded()
    case 8: return try RootBody(parsing: bytes, at: 0).encoded()
    case 9: return try ImageTrailer(parsing: bytes, at: 0).encoded()
    default: return nil
    }
  }
}
