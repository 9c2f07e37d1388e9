/// The kinds of segment (Spec, "Segments").
package enum SegmentKind: UInt16, CaseIterable, Sendable {
  case header = 1
  case record = 2
  case region = 3
  case states = 4
  case layout = 5
  case provenance = 6
  case index = 7
  case root = 8
  case trailer = 9

  /// The name used in messages and in the specification.
  package var name: String { "\(self)" }
}

/// The 32 bytes in front of every segment's body (Spec, "Segments").
package struct SegmentFrame: Hashable, Sendable {
  /// Bytes of a frame.
  package static let byteCount = 32
  /// The first four bytes of every frame, and so of every image: `VMCK`.
  package static let magic: UInt32 = 0x4B43_4D56
  /// A reader that does not know the kind must refuse the image.
  package static let critical: UInt16 = 1
  /// A tool that does not know the kind may carry the segment into a rewritten image.
  package static let copySafe: UInt16 = 2

  /// The kind as it stands in the file; unknown kinds are kept as numbers.
  package var rawKind: UInt16
  /// `critical`, `copySafe`.
  package var flags: UInt16
  /// The segment's number, counted from 0 without a gap.
  package var ordinal: UInt64
  /// The bytes of the body, without padding.
  package var bodyLength: UInt64
  /// CRC-32 of body and padding.
  package var bodyChecksum: UInt32

  /// The kind, if this library knows it.
  package var kind: SegmentKind? { SegmentKind(rawValue: rawKind) }

  /// Makes a frame.
  package init(
    rawKind: UInt16, flags: UInt16, ordinal: UInt64, bodyLength: UInt64, bodyChecksum: UInt32
  ) {
    self.rawKind = rawKind
    self.flags = flags
    self.ordinal = ordinal
    self.bodyLength = bodyLength
    self.bodyChecksum = bodyChecksum
  }

  /// The flags every segment of a kind carries in this version.
  package static func flags(of kind: SegmentKind) -> UInt16 {
    kind == .provenance ? copySafe : critical
  }

  /// The most bytes a body of this kind may have.
  package static func longestBody(of kind: SegmentKind?) -> Int {
    switch kind {
    case .states, .layout, .provenance: Limits.maximumList
    default: Limits.maximumBody
    }
  }

  /// The zero bytes behind a body of this length; a trailer has none.
  package static func padding(bodyLength: UInt64, alignmentShift: UInt8, rawKind: UInt16) -> Int {
    guard rawKind != SegmentKind.trailer.rawValue else { return 0 }
    let alignment = UInt64(1) << UInt64(alignmentShift)
    return Int((alignment - (UInt64(byteCount) + bodyLength) % alignment) % alignment)
  }

  /// Reads and checks a frame at `offset`.
  package init(parsing bytes: RawSpan, at offset: UInt64) throws(CheckpointError) {
    var reader = WireReader(bytes, structure: "segment frame", at: offset)
    try reader.expect(
      "magic", Hexadecimal.string(UInt64(try reader.read(UInt32.self))),
      Hexadecimal.string(UInt64(Self.magic)))
    rawKind = try reader.read()
    flags = try reader.read()
    ordinal = try reader.read()
    bodyLength = try reader.read()
    bodyChecksum = try reader.read()
    let computed = Checksum.of(bytes.extracting(first: Self.byteCount - 4))
    try reader.expect("frame checksum", try reader.read(UInt32.self), computed)
    let limit = Self.longestBody(of: kind)
    guard bodyLength <= UInt64(limit) else {
      throw reader.damaged("body length: found \(bodyLength), expected at most \(limit)")
    }
    guard flags & ~(Self.critical | Self.copySafe) == 0 else {
      throw reader.damaged("flags: found \(flags), expected at most 3")
    }
    if let kind, flags != Self.flags(of: kind) {
      throw reader.damaged(
        "flags of \(kind.name): found \(flags), expected \(Self.flags(of: kind))")
    }
  }

  /// Whether a file begins as an image does: with the frame of a header.
  package static func beginsImage(_ start: [UInt8]) -> Bool {
    start.starts(with: startOfImage)
  }

  /// The first bytes of every image: magic, kind and flags of a header's frame.
  package static let startOfImage: [UInt8] = [0x56, 0x4d, 0x43, 0x4b, 0x01, 0x00, 0x01, 0x00]

  /// The 32 bytes.
  package func encoded() -> [UInt8] {
    var writer = WireWriter(capacity: Self.byteCount)
    writer.write(Self.magic)
    writer.write(rawKind)
    writer.write(flags)
    writer.write(ordinal)
    writer.write(bodyLength)
    writer.write(bodyChecksum)
    writer.write(Checksum.of(writer.bytes.rawSpan))
    return writer.bytes
  }
}
