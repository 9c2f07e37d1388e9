package import CheckpointImage
package import Storage

/// Where a segment lies, as its frame says (Spec, "Segments").
package struct SegmentPlace: Sendable {
  /// The frame; it is sound.
  package let frame: SegmentFrame
  /// Byte offset of the frame.
  package let offset: UInt64
  /// Bytes of frame, body and padding.
  package let length: UInt64

  /// Byte offset of the body.
  package var bodyOffset: UInt64 { offset + UInt64(SegmentFrame.byteCount) }
  /// Where the next segment begins.
  package var end: UInt64 { offset + length }

  /// The place of the segment whose frame stands at `offset`.
  ///
  /// - Throws: `.damaged` if there is no sound frame, `.incomplete` if the file ends before.
  package init(in storage: any RangeReader, at offset: UInt64, alignmentShift: UInt8)
    throws(CheckpointError)
  {
    let bytes = try storage.slice(at: offset, count: SegmentFrame.byteCount)
    self.init(
      try SegmentFrame(parsing: bytes.rawSpan, at: offset), at: offset,
      alignmentShift: alignmentShift)
  }

  init(_ frame: SegmentFrame, at offset: UInt64, alignmentShift: UInt8) {
    self.frame = frame
    self.offset = offset
    let padding = SegmentFrame.padding(
      bodyLength: frame.bodyLength, alignmentShift: alignmentShift, rawKind: frame.rawKind)
    length = UInt64(SegmentFrame.byteCount) + frame.bodyLength + UInt64(padding)
  }
}

/// A segment that was read whole: the checksum is the frame's, the padding is zero.
package struct Segment: Sendable {
  /// Where it lies.
  package let place: SegmentPlace
  private let bytes: ArraySlice<UInt8>

  /// The frame.
  package var frame: SegmentFrame { place.frame }
  /// The body, without padding.
  package var body: ArraySlice<UInt8> {
    bytes.dropFirst(SegmentFrame.byteCount).prefix(Int(frame.bodyLength))
  }

  /// Reads and checks the segment at `offset`.
  ///
  /// - Parameters:
  ///   - length: bytes of frame, body and padding, where the format records them: then one read is enough.
  ///   - kind: the kind that it must have; nil for any.
  package init(
    in storage: any RangeReader, at offset: UInt64, length: UInt64? = nil, alignmentShift: UInt8,
    expecting kind: SegmentKind? = nil
  ) throws(CheckpointError) {
    let longest = SegmentFrame.byteCount + SegmentFrame.longestBody(of: kind) + 1 << 16
    if let length, (UInt64(SegmentFrame.byteCount)...UInt64(longest)).contains(length) {
      let bytes = try storage.slice(at: offset, count: Int(length))
      let place = SegmentPlace(
        try SegmentFrame(
          parsing: bytes.rawSpan.extracting(first: SegmentFrame.byteCount), at: offset),
        at: offset, alignmentShift: alignmentShift)
      // A recorded length that is wrong is reported by whoever recorded it.
      if place.length == length {
        try self.init(place, bytes, kind)
        return
      }
    }
    let place = try SegmentPlace(in: storage, at: offset, alignmentShift: alignmentShift)
    try self.init(place, in: storage, expecting: kind)
  }

  /// Reads and checks the segment at a place.
  package init(
    _ place: SegmentPlace, in storage: any RangeReader, expecting kind: SegmentKind? = nil
  ) throws(CheckpointError) {
    try Self.check(place, is: kind)
    try self.init(place, try storage.slice(at: place.offset, count: Int(place.length)), kind)
  }

  /// Checks the bytes of a segment.
  package init(_ place: SegmentPlace, _ bytes: ArraySlice<UInt8>, _ kind: SegmentKind? = nil)
    throws(CheckpointError)
  {
    try Self.check(place, is: kind)
    self.place = place
    self.bytes = bytes
    let behind = bytes.rawSpan.extracting(droppingFirst: SegmentFrame.byteCount)
    let checksum = Checksum.of(behind)
    guard checksum == frame.bodyChecksum else {
      throw CheckpointError(
        .damaged,
        "checksum: found \(Hexadecimal.string(UInt64(checksum))), expected "
          + Hexadecimal.string(UInt64(frame.bodyChecksum)),
        structure: frame.kind?.name ?? "segment \(frame.rawKind)", offset: place.bodyOffset)
    }
    guard bytes[body.endIndex...].allSatisfy({ $0 == 0 }) else {
      throw CheckpointError(
        .damaged, "padding is not zero", structure: frame.kind?.name, offset: place.bodyOffset)
    }
  }

  private static func check(_ place: SegmentPlace, is kind: SegmentKind?) throws(CheckpointError) {
    guard let kind, place.frame.kind != kind else { return }
    let found = place.frame.kind?.name ?? "\(place.frame.rawKind)"
    throw CheckpointError(
      .damaged, "kind: found \(found), expected \(kind.name)", structure: "segment frame",
      offset: place.offset)
  }
}
