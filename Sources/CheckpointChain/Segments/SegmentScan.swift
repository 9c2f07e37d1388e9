internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// The segments that are left of a damaged file, in file order.
///
/// Segments that follow each other are an island. Where the next frame is gone, sound ones are looked for
/// behind it. What is found there may be bytes that the guest held in its own memory: ordinals must ascend
/// from island to island, and where two contradict each other, the larger island is believed.
struct SegmentScan {
  /// A segment whose frame is sound.
  struct Segment {
    var frame: SegmentFrame
    var offset: UInt64
    /// Bytes with frame and padding.
    var length: UInt64
    /// Whether its checksum is right.
    var isSound: Bool

    var end: UInt64 { offset + length }
  }

  private struct Island {
    var segments: [Segment] = []

    var bytes: UInt64 {
      guard let first = segments.first, let last = segments.last else { return 0 }
      return last.end - first.offset
    }

    /// Whether it can lie behind `other`: whatever was between them took at least one ordinal.
    func follows(_ other: Island) -> Bool {
      guard let last = other.segments.last, let first = segments.first else { return false }
      let skipped: UInt64 = first.offset > last.end ? 1 : 0
      return first.frame.ordinal > last.frame.ordinal
        && first.frame.ordinal - last.frame.ordinal > skipped
    }
  }

  private static let mostIslands = 1000
  private let file: InputFile
  private let alignmentShift: UInt8
  /// What is wrong with the file.
  private(set) var findings: [CheckpointError] = []
  private var islands: [Island] = [Island()]
  /// Bytes that may still be read to find out whether what looks like a segment is one.
  private var searchBudget: UInt64

  /// Goes through a file whose header is sound.
  init(_ file: InputFile, _ header: ImageHeader) throws(CheckpointError) {
    self.file = file
    alignmentShift = header.alignmentShift
    searchBudget = file.length &+ 4 * UInt64(Limits.maximumBody)
    var offset: UInt64 = 0
    while offset < file.length {
      try Interruption.check()
      if let segment = segment(at: offset) {
        islands[islands.count - 1].segments.append(segment)
        if isEnd(segment) { return }
        offset = segment.end
      } else {
        guard let start = searchSound(from: offset) else { break }
        islands.append(Island())
        offset = start
      }
    }
  }

  /// The segments that are believed.
  var segments: [Segment] {
    var believed: [Island] = []
    for island in islands where !island.segments.isEmpty {
      // The first one begins with the header of this file.
      while believed.count > 1, let last = believed.last, !island.follows(last),
        last.bytes < island.bytes
      { believed.removeLast() }
      if believed.last.map(island.follows) ?? true { believed.append(island) }
    }
    return believed.flatMap(\.segments)
  }

  /// The segment at `offset`, if its frame is sound and continues the last island.
  private mutating func segment(at offset: UInt64) -> Segment? {
    do throws(CheckpointError) {
      let bytes = try file.bytes(at: offset, count: SegmentFrame.byteCount)
      let frame = unsafe try SegmentFrame(parsing: bytes.span.bytes, at: offset)
      if let last = islands[islands.count - 1].segments.last,
        frame.ordinal != last.frame.ordinal &+ 1
      {
        throw CheckpointError(
          .damaged, "ordinal: found \(frame.ordinal), expected \(last.frame.ordinal &+ 1)",
          structure: "file", offset: offset)
      }
      return check(frame, at: offset)
    } catch {
      note(error)
      return nil
    }
  }

  private mutating func check(_ frame: SegmentFrame, at offset: UInt64) -> Segment {
    let padding = SegmentFrame.padding(
      bodyLength: frame.bodyLength, alignmentShift: alignmentShift, rawKind: frame.rawKind)
    var segment = Segment(
      frame: frame, offset: offset,
      length: UInt64(SegmentFrame.byteCount) + frame.bodyLength + UInt64(padding), isSound: true)
    do throws(CheckpointError) {
      _ = try ImageFile.readSegment(
        file, at: offset, alignmentShift: alignmentShift, expecting: nil)
    } catch {
      note(error)
      segment.isSound = false
    }
    return segment
  }

  private mutating func note(_ error: CheckpointError) {
    guard findings.count < SegmentWalk.mostFindings, error.kind != .interrupted else { return }
    findings.append(error.inFile(file.name))
  }

  /// Whether the file ends with this segment: a trailer that knows where it lies.
  private func isEnd(_ segment: Segment) -> Bool {
    guard segment.isSound, segment.frame.kind == .trailer,
      let body = try? file.bytes(
        at: segment.offset + UInt64(SegmentFrame.byteCount), count: ImageTrailer.bodySize),
      let trailer = unsafe try? ImageTrailer(parsing: body.span.bytes, at: segment.offset)
    else { return false }
    return trailer.fileLength == segment.end
  }

  /// Where the next segment begins that is sound as a whole, from `offset` on.
  private mutating func searchSound(from offset: UInt64) -> UInt64? {
    guard islands.count < Self.mostIslands else { return nil }
    var start = offset
    if isSound(at: start) { return start }
    while let next = FrameSearch.next(in: file, after: start, alignmentShift: alignmentShift) {
      if isSound(at: next) { return next }
      guard searchBudget > 0 else { return nil }
      start = next
    }
    return nil
  }

  private mutating func isSound(at offset: UInt64) -> Bool {
    let read = try? ImageFile.readSegment(
      file, at: offset, alignmentShift: alignmentShift, expecting: nil)
    if let read { return read.frame.ordinal > 0 }
    // What the frame promised was read in vain.
    var promised: UInt64 = 0
    if let bytes = try? file.bytes(at: offset, count: SegmentFrame.byteCount),
      let frame = unsafe try? SegmentFrame(parsing: bytes.span.bytes, at: offset)
    {
      promised = frame.bodyLength
    }
    searchBudget -= min(searchBudget, promised + UInt64(SegmentFrame.byteCount))
    return false
  }
}
