package import CheckpointImage
package import Storage

extension ImageHeader {
  /// Reads and checks the first segment of an image.
  package init(in storage: any RangeReader) throws(CheckpointError) {
    guard storage.length >= 8, SegmentFrame.beginsImage(try storage.bytes(at: 0, count: 8)) else {
      throw CheckpointError(
        .damaged, "not a checkpoint image: it does not begin with VMCK", structure: "header",
        offset: 0)
    }
    let start = try storage.bytes(at: 0, count: SegmentFrame.byteCount)
    let frame = try SegmentFrame(parsing: start.rawSpan, at: 0)
    let offset = UInt64(SegmentFrame.byteCount)
    let body = try storage.bytes(at: offset, count: Int(frame.bodyLength))
    guard frame.ordinal == 0 else {
      throw CheckpointError(
        .damaged, "ordinal: found \(frame.ordinal), expected 0", structure: "header", offset: 0)
    }
    try self.init(parsing: body.rawSpan, at: offset)
    // The padding, and with it the checksum, depend on the alignment, which only the body gives.
    _ = try Segment(in: storage, at: 0, alignmentShift: alignmentShift, expecting: .header)
  }
}

extension ImageTrailer {
  /// Reads and checks the last segment of an image.
  package init(in storage: any RangeReader) throws(CheckpointError) {
    let size = UInt64(ImageTrailer.segmentSize)
    let incomplete = CheckpointError(
      .incomplete, "no trailer at the end: the image was not finished, was cut, or more follows it",
      structure: "trailer", offset: storage.length)
    guard storage.length > size else { throw incomplete }
    let offset = storage.length - size
    guard let place = try? SegmentPlace(in: storage, at: offset, alignmentShift: 3),
      place.frame.kind == .trailer
    else { throw incomplete }
    let segment = try Segment(place, in: storage)
    try self.init(parsing: segment.body.rawSpan, at: place.bodyOffset)
    func expect(_ field: String, _ found: UInt64, _ expected: UInt64) throws(CheckpointError) {
      guard found == expected else {
        throw CheckpointError(
          .damaged, "\(field): found \(found), expected \(expected)", structure: "trailer",
          offset: offset)
      }
    }
    try expect("file length", fileLength, storage.length)
    try expect("segments", segmentCount, segment.frame.ordinal &+ 1)
  }

  /// The trailer of storage that may hold an image; nil if it is none.
  package static func ofImage(in storage: any RangeReader) -> ImageTrailer? {
    guard storage.length > UInt64(segmentSize), let start = try? storage.bytes(at: 0, count: 8),
      SegmentFrame.beginsImage(start)
    else { return nil }
    return try? ImageTrailer(in: storage)
  }
}

extension RootBody {
  /// Reads and checks the root that a trailer names.
  init(in storage: any RangeReader, _ header: ImageHeader, _ trailer: ImageTrailer)
    throws(CheckpointError)
  {
    let offset = trailer.rootOffset
    let place = UInt64(SegmentFrame.byteCount) + trailer.rootLength
    let alignment = UInt64(1) << UInt64(header.alignmentShift)
    let segment = try Segment(
      in: storage, at: offset, length: (place + alignment - 1) / alignment * alignment,
      alignmentShift: header.alignmentShift, expecting: .root)
    func expect<T: Equatable>(_ field: String, _ found: T, _ expected: T) throws(CheckpointError) {
      guard found == expected else {
        throw CheckpointError(
          .damaged, "\(field): found \(found), expected \(expected)", structure: "root",
          offset: offset)
      }
    }
    try expect("length", segment.frame.bodyLength, trailer.rootLength)
    try expect("ordinal", segment.frame.ordinal, trailer.segmentCount &- 2)
    try expect("file ID", Identity.file(rootBody: segment.body.rawSpan), trailer.fileID)
    try self.init(parsing: segment.body.rawSpan, at: segment.place.bodyOffset)
    try expect("checkpoint ID", root.checkpointID, trailer.checkpointID)
    try expect(
      "checkpoint ID", root.checkpointID,
      Identity.checkpoint(captureID: header.captureID, memory: root.memory, state: root.state))
    for place in root.directory.map(\.offset) + blocks.map(\.offset) where place >= offset {
      throw CheckpointError(
        .damaged, "a segment at \(place): expected in front of the root", structure: "root",
        offset: offset)
    }
    for entry in root.directory { try entry.checkIsKnown() }
    let hasLayout = root.directory.contains { $0.rawKind == SegmentKind.layout.rawValue }
    try expect("layout", root.layout != .none, hasLayout)
    try expect("first directory entry", root.directory[0].offset, 0)
    let headerBody = try storage.bytes(
      at: UInt64(SegmentFrame.byteCount), count: Int(root.directory[0].bodyLength))
    try expect("header digest", SHA256Hasher.digest(of: headerBody), root.directory[0].digest)
  }
}

extension ImageRoot.DirectoryEntry {
  /// Fails if a reader must understand the segment and this library does not.
  func checkIsKnown() throws(CheckpointError) {
    try SegmentFrame.checkIsKnown(rawKind, flags, at: offset)
  }
}

extension SegmentFrame {
  /// Fails if a reader must understand a segment and this library does not.
  package static func checkIsKnown(_ rawKind: UInt16, _ flags: UInt16, at offset: UInt64)
    throws(CheckpointError)
  {
    guard SegmentKind(rawValue: rawKind) == nil, flags & critical != 0 else { return }
    throw CheckpointError(
      .unsupported, "segment of unknown kind \(rawKind), which must be understood",
      structure: "segment frame", offset: offset)
  }
}
