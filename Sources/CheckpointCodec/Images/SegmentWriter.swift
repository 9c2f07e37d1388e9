internal import CheckpointImage
internal import Storage

/// Writes segments one after the other and keeps the table of those that hold no pages.
struct SegmentWriter {
  private static let large = 1 << 16

  private let output: any ByteSink
  private let alignmentShift: UInt8
  /// Bytes not yet handed to the file: small segments are gathered.
  private var staged: [UInt8] = []
  private var nextOrdinal: UInt64 = 0
  /// The offset of the next segment.
  private(set) var offset: UInt64 = 0
  /// The directory of the root, in file order.
  private(set) var directory: [ImageRoot.DirectoryEntry] = []

  /// The number of segments so far.
  var count: UInt64 { nextOrdinal }

  init(_ output: any ByteSink, alignmentShift: UInt8) {
    self.output = output
    self.alignmentShift = alignmentShift
    staged.reserveCapacity(2 * Self.large)
  }

  /// Appends a segment; returns where it lies and how many bytes it takes.
  @discardableResult
  mutating func write(_ kind: SegmentKind, _ body: ArraySlice<UInt8>) throws(CheckpointError)
    -> (offset: UInt64, length: UInt32)
  {
    try write(rawKind: kind.rawValue, flags: SegmentFrame.flags(of: kind), body)
  }

  /// Appends a segment; returns where it lies and how many bytes it takes.
  @discardableResult
  mutating func write(_ kind: SegmentKind, _ body: [UInt8]) throws(CheckpointError)
    -> (offset: UInt64, length: UInt32)
  {
    try write(kind, body[...])
  }

  /// Appends a segment of any kind.
  @discardableResult
  mutating func write(rawKind: UInt16, flags: UInt16, _ body: ArraySlice<UInt8>)
    throws(CheckpointError)
    -> (offset: UInt64, length: UInt32)
  {
    let limit = SegmentFrame.longestBody(of: SegmentKind(rawValue: rawKind))
    guard body.count <= limit else {
      throw CheckpointError(
        .refused, "a segment of \(body.count) bytes: the format allows \(limit)",
        offset: offset, file: output.name)
    }
    let padding = [UInt8](
      repeating: 0,
      count: SegmentFrame.padding(
        bodyLength: UInt64(body.count), alignmentShift: alignmentShift, rawKind: rawKind))
    var checksum = Checksum()
    checksum.update(body.rawSpan)
    checksum.update(padding.rawSpan)
    let frame = SegmentFrame(
      rawKind: rawKind, flags: flags, ordinal: nextOrdinal, bodyLength: UInt64(body.count),
      bodyChecksum: checksum.value)
    switch frame.kind {
    case .region, .index, .root, .trailer: break
    default:
      directory.append(
        ImageRoot.DirectoryEntry(
          frame, offset: offset, digest: SHA256Hasher.digest(of: body.rawSpan)))
    }
    let start = offset
    staged.append(contentsOf: frame.encoded())
    if body.count >= Self.large {
      // Large bodies go to the file without a detour.
      try flush()
      try output.write(body.rawSpan)
    } else {
      staged.append(contentsOf: body)
    }
    staged.append(contentsOf: padding)
    offset += UInt64(SegmentFrame.byteCount + body.count + padding.count)
    nextOrdinal += 1
    if staged.count >= Self.large { try flush() }
    return (start, UInt32(offset - start))
  }

  /// Hands everything to the file.
  mutating func flush() throws(CheckpointError) {
    try output.write(staged)
    staged.removeAll(keepingCapacity: true)
  }
}
