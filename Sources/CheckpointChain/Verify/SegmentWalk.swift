internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Goes through a file segment by segment: frames, ordinals, checksums, the structure of each body.
struct SegmentWalk {
  private let file: any RangeReader
  private let cancellation: Cancellation
  /// Regions and index blocks that were read and checked already.
  private let seen: ImagePages.Segments
  /// The digests of the index blocks, by offset, as the root has them.
  private var blockDigests: [UInt64: Digest] = [:]
  private(set) var count: UInt64 = 0
  /// The pages that regions and states segments mention.
  private(set) var stated = StatedPages()
  /// The next segment's ordinal; nil behind damage that may have hidden segments.
  private var nextOrdinal: UInt64? = 0
  private var lastPlace = -1
  /// Whether a trailer was found, wherever.
  private(set) var sawTrailer = false
  private var errors: [CheckpointError] = []
  private var directory: [ImageRoot.DirectoryEntry] = []
  private var indexOffsets: [UInt64] = []
  private var regionPages: UInt64 = 0
  /// Entries by state of the index blocks that were not read before.
  private var counts = [UInt64](repeating: 0, count: 8)

  /// - Parameters:
  ///   - storage: the file, best read ahead: it is gone through in order.
  ///   - blocks: the root's table of index blocks, if the root could be read.
  init(
    _ storage: any RangeReader, knowing blocks: [RootBody.BlockEntry],
    sparing seen: ImagePages.Segments, _ cancellation: Cancellation
  ) {
    file = storage
    self.cancellation = cancellation
    self.seen = seen
    for block in blocks { blockDigests[block.offset] = block.digest }
  }

  /// Everything that is wrong with the file, taken by itself.
  mutating func run() -> [CheckpointError] {
    let header: ImageHeader
    do throws(CheckpointError) {
      header = try ImageHeader(in: file)
    } catch {
      return [error.inFile(file.name)]
    }
    var offset: UInt64 = 0
    while offset < file.length, !cancellation.isRequested {
      guard !sawTrailer else {
        add(.damaged, "\(file.length - offset) bytes behind the trailer", at: offset)
        break
      }
      guard errors.count < Findings.most else {
        add(.damaged, "so much is wrong here that the rest is left unread", at: offset)
        break
      }
      guard
        let next = visit(offset, header)
          ?? FrameSearch.next(
            in: file, after: offset, alignmentShift: header.alignmentShift, cancellation)
      else { break }
      offset = next
    }
    return errors
  }

  private mutating func add(_ kind: CheckpointError.Kind, _ reason: String, at offset: UInt64) {
    errors.append(
      CheckpointError(kind, reason, structure: "file", offset: offset, file: file.name))
  }

  /// Checks the segment at `offset`. Returns where the next one begins; nil if its frame is
  /// damaged.
  private mutating func visit(_ offset: UInt64, _ header: ImageHeader) -> UInt64? {
    let place: SegmentPlace
    do throws(CheckpointError) {
      place =
        if let known = seen.regions[offset]?.place { known } else {
          try SegmentPlace(in: file, at: offset, alignmentShift: header.alignmentShift)
        }
    } catch {
      errors.append(error.inFile(file.name))
      nextOrdinal = nil
      return nil
    }
    let frame = place.frame
    if let nextOrdinal, frame.ordinal != nextOrdinal {
      add(.damaged, "ordinal: found \(frame.ordinal), expected \(nextOrdinal)", at: offset)
    }
    nextOrdinal = frame.ordinal &+ 1
    count += 1
    checkOrder(frame, at: offset)
    do throws(CheckpointError) {
      try parse(frame, try body(place), offset, length: place.length)
    } catch {
      errors.append(error.inFile(file.name))
    }
    sawTrailer = frame.kind == .trailer
    return place.end
  }

  /// The body, its checksum compared; empty if it was read and checked already.
  private func body(_ place: SegmentPlace) throws(CheckpointError) -> ArraySlice<UInt8> {
    if seen.indexBlocks.contains(place.offset) || seen.regions[place.offset] != nil { return [] }
    return try Segment(place, in: file).body
  }

  /// Header, then pages and records, then provenance, index, root and trailer.
  private mutating func checkOrder(_ frame: SegmentFrame, at offset: UInt64) {
    let place: Int
    switch frame.kind {
    case .header: place = 0
    case .record, .region, .states, .layout: place = 1
    case .provenance: place = 2
    case .index: place = 3
    case .root: place = 4
    case .trailer: place = 5
    case nil: return
    }
    let isSecond = place == lastPlace && [0, 4, 5].contains(place)
    if place < lastPlace || isSecond {
      add(.damaged, "\(frame.kind.map { $0.name } ?? "") in the wrong place", at: offset)
    }
    if place >= 3, lastPlace < 2, errors.isEmpty {
      add(.damaged, "no provenance before the index", at: offset)
    }
    lastPlace = max(lastPlace, place)
  }

  private mutating func parse(
    _ frame: SegmentFrame, _ body: ArraySlice<UInt8>, _ start: UInt64, length: UInt64
  ) throws(CheckpointError) {
    let offset = start + UInt64(SegmentFrame.byteCount)
    let bytes = body.rawSpan
    switch frame.kind {
    case .region, .index, .root, .trailer: break
    default:
      directory.append(
        ImageRoot.DirectoryEntry(frame, offset: start, digest: SHA256Hasher.digest(of: bytes)))
    }
    switch frame.kind {
    case .header: _ = try ImageHeader(parsing: bytes, at: offset)
    case .record: _ = try MachineRecord(parsing: bytes, at: offset)
    case .region:
      let region =
        if let known = seen.regions[start]?.header { known } else {
          try RegionHeader(parsing: bytes, at: offset)
        }
      regionPages += UInt64(region.pageCount)
      stated.add(region, offset: start, length: length)
    case .states: stated.add(try StateExtent.parseList(bytes, at: offset))
    case .layout: _ = try LayoutItem.parseList(bytes, at: offset)
    case .provenance: _ = try Provenance(parsing: bytes, at: offset)
    case .index:
      indexOffsets.append(start)
      guard !seen.indexBlocks.contains(start) else { return }
      if let expected = blockDigests[start], SHA256Hasher.digest(of: bytes) != expected {
        throw CheckpointError(
          .damaged, "the block is not the one in the root", structure: "index block",
          offset: start)
      }
      for entry in try IndexBlock(parsing: bytes, at: offset).entries {
        counts[Int(entry.status.state.rawValue)] += 1
      }
    case .root: _ = try RootBody(parsing: bytes, at: offset)
    case .trailer: _ = try ImageTrailer(parsing: bytes, at: offset)
    case nil: try SegmentFrame.checkIsKnown(frame.rawKind, frame.flags, at: offset)
    }
  }

  /// Where the root differs from the file.
  func compare(with image: ImageFile, _ blocks: [RootBody.BlockEntry]) -> [CheckpointError] {
    guard errors.isEmpty else { return [] }
    var found: [CheckpointError] = []
    func expect<T: Equatable>(_ field: String, _ a: T, _ b: T) {
      guard a != b else { return }
      found.append(
        CheckpointError(
          .damaged, "\(field): found \(a), expected \(b)", structure: "root",
          offset: image.trailer.rootOffset, file: file.name))
    }
    expect("segments", image.trailer.segmentCount, count)
    expect("directory entries", image.root.directory.count, directory.count)
    for (listed, seen) in zip(image.root.directory, directory) where listed != seen {
      expect("directory entry for segment \(seen.ordinal)", listed.offset, seen.offset)
      expect("digest of segment \(seen.ordinal)", listed.digest, seen.digest)
      expect("kind of segment \(seen.ordinal)", listed.rawKind, seen.rawKind)
      expect("length of segment \(seen.ordinal)", listed.bodyLength, seen.bodyLength)
      expect("flags of segment \(seen.ordinal)", listed.flags, seen.flags)
      expect("ordinal of segment \(seen.ordinal)", listed.ordinal, seen.ordinal)
    }
    expect("index blocks", blocks.count, indexOffsets.count)
    for (entry, offset) in zip(blocks, indexOffsets) where entry.offset != offset {
      expect("offset of index block \(entry.number)", entry.offset, offset)
    }
    if seen.indexBlocks.isEmpty { expect("counts", image.root.counts, counts) }
    let stored = image.root.count(.data) &+ image.root.deadCopies
    expect("stored pages and dead copies", stored, regionPages)
    return found
  }
}
