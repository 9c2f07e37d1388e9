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
    var place: SegmentPlace
    /// Whether its checksum is right.
    var isSound: Bool

    var frame: SegmentFrame { place.frame }
    var offset: UInt64 { place.offset }
    var length: UInt64 { place.length }
    var end: UInt64 { place.end }
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
  private let file: any RangeReader
  private let cancellation: Cancellation
  private let alignmentShift: UInt8
  /// What is wrong with the file.
  private(set) var findings: [CheckpointError] = []
  private var islands: [Island] = [Island()]
  /// Bytes that may still be read to find out whether what looks like a segment is one.
  private var searchBudget: UInt64

  /// Goes through a file whose header is sound.
  init(_ storage: any RangeReader, _ header: ImageHeader, _ cancellation: Cancellation)
    throws(CheckpointError)
  {
    file = ReadAhead(storage, pieces: 8)
    self.cancellation = cancellation
    alignmentShift = header.alignmentShift
    searchBudget = file.length &+ 4 * UInt64(Limits.maximumBody)
    var offset: UInt64 = 0
    while offset < file.length {
      try cancellation.check()
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
      let place = try SegmentPlace(in: file, at: offset, alignmentShift: alignmentShift)
      if let last = islands[islands.count - 1].segments.last,
        place.frame.ordinal != last.frame.ordinal &+ 1
      {
        throw CheckpointError(
          .damaged,
          "ordinal: found \(place.frame.ordinal), expected \(last.frame.ordinal &+ 1)",
          structure: "file", offset: offset)
      }
      return check(place)
    } catch {
      note(error)
      return nil
    }
  }

  private mutating func check(_ place: SegmentPlace) -> Segment {
    do throws(CheckpointError) {
      _ = try CheckpointCodec.Segment(place, in: file)
      return Segment(place: place, isSound: true)
    } catch {
      note(error)
      return Segment(place: place, isSound: false)
    }
  }

  private mutating func note(_ error: CheckpointError) {
    guard findings.count < Findings.most, error.kind != .interrupted else { return }
    findings.append(error.inFile(file.name))
  }

  /// Whether the file ends with this segment: a trailer that knows where it lies.
  private func isEnd(_ segment: Segment) -> Bool {
    guard segment.isSound, segment.frame.kind == .trailer,
      let body = try? file.bytes(
        at: segment.offset + UInt64(SegmentFrame.byteCount), count: ImageTrailer.bodySize),
      let trailer = try? ImageTrailer(parsing: body.rawSpan, at: segment.offset)
    else { return false }
    return trailer.fileLength == segment.end
  }

  /// Where the next segment begins that is sound as a whole, from `offset` on.
  private mutating func searchSound(from offset: UInt64) -> UInt64? {
    guard islands.count < Self.mostIslands else { return nil }
    var start = offset
    if isSound(at: start) { return start }
    while let next = FrameSearch.next(
      in: file, after: start, alignmentShift: alignmentShift, cancellation)
    {
      if isSound(at: next) { return next }
      guard searchBudget > 0 else { return nil }
      start = next
    }
    return nil
  }

  private mutating func isSound(at offset: UInt64) -> Bool {
    let place = try? SegmentPlace(in: file, at: offset, alignmentShift: alignmentShift)
    if let place, (try? CheckpointCodec.Segment(place, in: file)) != nil {
      return place.frame.ordinal > 0
    }
    // What the frame promised was read in vain.
    let promised = (place?.frame.bodyLength ?? 0) + UInt64(SegmentFrame.byteCount)
    searchBudget -= min(searchBudget, promised)
    return false
  }
}
