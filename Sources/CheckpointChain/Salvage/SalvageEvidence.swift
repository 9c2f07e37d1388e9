internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// What is left of a damaged image: its machine state, its index as far as it is left, and its segments
/// where the index is not.
struct SalvageEvidence {
  /// A segment to be looked at, with what the root records of it, if there is one.
  private struct Candidate {
    var kind: SegmentKind?
    var offset: UInt64
    var digest: Digest?
    /// The block that an index segment must hold.
    var block: BlockNumber?
  }

  /// The most blocks an image can have: a root has no room for more.
  private static let mostBlocks = UInt64(Limits.maximumBody / 88)
  /// The most blocks that are called unreadable though nothing is left that names a page of them: 16 GiB.
  private static let mostUnmentionedBlocks: UInt64 = 1 << 13

  let file: any RangeReader
  let cancellation: Cancellation
  let codec = RegionCodec()
  let hashers = HasherPool()
  let buffers = PageBufferPool()
  let header: ImageHeader
  let parent: Chain?
  /// What is wrong with the file.
  private(set) var findings: [CheckpointError] = []
  /// The root, if it is sound.
  var root: ImageRoot? { rootBody?.root }
  private var rootBody: RootBody?
  /// Where the sound records lie.
  private(set) var records: [UInt64] = []
  /// Where the sound layout segments lie.
  private(set) var layout: [UInt64] = []
  /// The image's history.
  private(set) var provenance: [Provenance] = []
  /// Segments of these kinds that are lost or may be.
  private(set) var lostKinds: Set<SegmentKind> = []
  /// Ranges in which pages may have been that nothing names any more.
  private(set) var unknown = RangeList<PFN>()
  /// The blocks to be described, ascending.
  private(set) var blocks = RangeList<BlockNumber>()

  /// Those of the guest, as far as they are known.
  private var staticRecords = StaticRecords()
  private var parentRecords: Set<RecordKey> = []
  /// Where the sound index blocks lie.
  private(set) var index: [BlockNumber: UInt64] = [:]
  /// Blocks that the root names and whose index block is lost.
  private(set) var lostBlocks: Set<BlockNumber> = []
  /// Whether every block of the image is in one of the two.
  private var knowsBlocks = false
  private(set) var trusted: [StatedPages.Statement] = []
  private(set) var others: [StatedPages.Statement] = []
  private(set) var unmentioned = DoubtfulPages.Unmentioned.sound

  /// Looks through a file whose header is sound. An increment is read against its parents.
  init(
    _ file: any RangeReader, _ header: ImageHeader, parent: Chain?, _ cancellation: Cancellation
  ) throws(CheckpointError) {
    self.file = file
    self.cancellation = cancellation
    self.header = header
    self.parent = parent
    for image in parent?.images ?? [] {
      for record in try Chain.records(of: image) { _ = staticRecords.insert(record.key) }
    }
    if let parent { parentRecords = Set(try parent.records()) }
    do throws(CheckpointError) {
      let image = try ImageFile(file, cancellation: cancellation)
      rootBody = RootBody(root: image.root, blocks: try image.blocks())
    } catch {
      note(error)
    }
    if let rootBody {
      try look(at: rootBody)
      if !lostBlocks.isEmpty { try readSegments(SegmentScan(file, header, cancellation)) }
    } else {
      try scan()
    }
    blocks = try findBlocks()
  }

  private mutating func note(_ error: CheckpointError) {
    let error = error.inFile(file.name)
    guard findings.count < Findings.most, !findings.contains(error) else { return }
    findings.append(error)
  }

  func body(at offset: UInt64, _ kind: SegmentKind?) throws(CheckpointError) -> ArraySlice<UInt8> {
    try Segment(in: file, at: offset, alignmentShift: header.alignmentShift, expecting: kind).body
  }

  // MARK: Records, layout, index blocks

  private mutating func look(at body: RootBody) throws(CheckpointError) {
    knowsBlocks = true
    for entry in body.root.directory {
      let kind = SegmentKind(rawValue: entry.rawKind)
      try checkIsKnown(entry.rawKind, entry.flags, at: entry.offset)
      try look(
        at: Candidate(
          kind: kind, offset: entry.offset, digest: entry.digest))
    }
    for entry in body.blocks {
      try look(
        at: Candidate(
          kind: .index, offset: entry.offset, digest: entry.digest, block: entry.number))
      if index[entry.number] == nil { lostBlocks.insert(entry.number) }
    }
  }

  private func checkIsKnown(_ rawKind: UInt16, _ flags: UInt16, at offset: UInt64)
    throws(CheckpointError)
  {
    do throws(CheckpointError) {
      try SegmentFrame.checkIsKnown(rawKind, flags, at: offset)
    } catch {
      throw error.inFile(file.name)
    }
  }

  private mutating func look(at candidate: Candidate) throws(CheckpointError) {
    try cancellation.check()
    guard let kind = candidate.kind else { return }
    do throws(CheckpointError) {
      let body = try body(at: candidate.offset, kind)
      if let digest = candidate.digest, SHA256Hasher.digest(of: body.rawSpan) != digest {
        throw CheckpointError(
          .damaged, "the segment is not the one in the root", structure: kind.name,
          offset: candidate.offset)
      }
      try take(kind, body, candidate)
    } catch {
      if error.kind == .interrupted { throw error }
      lostKinds.insert(kind)
      note(error)
    }
  }

  private mutating func take(_ kind: SegmentKind, _ body: ArraySlice<UInt8>, _ candidate: Candidate)
    throws(CheckpointError)
  {
    let bytes = body.rawSpan
    let offset = candidate.offset + UInt64(SegmentFrame.byteCount)
    switch kind {
    case .record:
      let record = try MachineRecord(parsing: bytes, at: offset)
      if record.payload == nil, !(parentRecords.contains(record.key)) {
        throw CheckpointError(
          .damaged, "its payload is with no ancestor", structure: "record", offset: offset)
      }
      try Chain.check(record.key, among: &staticRecords, at: offset)
      records.append(candidate.offset)
    case .layout:
      _ = try LayoutItem.parseList(bytes, at: offset)
      layout.append(candidate.offset)
    case .provenance:
      provenance.append(try Provenance(parsing: bytes, at: offset))
    case .index:
      let block = try IndexBlock(parsing: bytes, at: offset)
      guard block.number == candidate.block ?? block.number, index[block.number] == nil else {
        throw CheckpointError(
          .damaged, "block \(block.number) is not expected here", structure: "index block",
          offset: offset)
      }
      index[block.number] = candidate.offset
    case .header, .region, .states, .root, .trailer: break
    }
  }

  /// A record that was found to be sound before.
  func record(at offset: UInt64) throws(CheckpointError) -> MachineRecord {
    let body = try body(at: offset, .record)
    return try MachineRecord(
      parsing: body.rawSpan, at: offset + UInt64(SegmentFrame.byteCount))
  }

  /// The items of a layout segment that was found to be sound before.
  func layoutItems(at offset: UInt64) throws(CheckpointError) -> [LayoutItem] {
    let body = try body(at: offset, .layout)
    return try LayoutItem.parseList(
      body.rawSpan, at: offset + UInt64(SegmentFrame.byteCount))
  }

  // MARK: Without the root, or without one of its blocks

  /// Reads the segments when the trailer does not lead to the root.
  private mutating func scan() throws(CheckpointError) {
    let scan = try SegmentScan(file, header, cancellation)
    for segment in scan.segments where segment.frame.kind == .root && segment.isSound {
      rootBody = rootBody ?? soundRoot(at: segment.offset)
    }
    if let rootBody {
      try look(at: rootBody)
      if lostBlocks.isEmpty { return scan.findings.forEach { note($0) } }
    }
    try readSegments(scan)
  }

  /// The root at `offset`, if it names the moment it describes.
  private func soundRoot(at offset: UInt64) -> RootBody? {
    guard let body = try? body(at: offset, .root),
      let found = try? RootBody(parsing: body.rawSpan, at: offset),
      found.root.checkpointID
        == Identity.checkpoint(
          captureID: header.captureID, memory: found.root.memory, state: found.root.state)
    else { return nil }
    return found
  }

  /// Goes through the segments that are left. If there is no root, all comes from them.
  private mutating func readSegments(_ scan: SegmentScan) throws(CheckpointError) {
    scan.findings.forEach { note($0) }
    var pages = DoubtfulPages()
    var expected: UInt64 = 0
    // Behind the first of these kinds there are no more pages, records and layout.
    var sawEnd = false
    var lostIndex = false
    var sawRoot = false
    // What lies behind a lost frame was found by searching: a guest may have planted it.
    var sawGap = false
    for segment in scan.segments {
      try cancellation.check()
      let kind = segment.frame.kind
      let endsPages = [.provenance, .index, .root, .trailer].contains(kind)
      if segment.frame.ordinal != expected {
        sawGap = true
        if !sawEnd { lose(nil, of: &pages) }
        if sawEnd || endsPages { lostIndex = true }
      }
      expected = segment.frame.ordinal &+ 1
      sawEnd = sawEnd || endsPages
      sawRoot = sawRoot || kind == .root || kind == .trailer
      switch kind {
      case .region, .states:
        guard !sawEnd else { continue }
        if !segment.isSound || !read(segment, into: &pages) { lose(kind, of: &pages) }
      case .record where sawGap:
        // The state of a device model is read by a program of the host.
        if root == nil { lostKinds.insert(.record) }
      case .record, .layout, .provenance, .index:
        if root == nil, !(sawEnd && !endsPages) {
          try look(at: Candidate(kind: kind, offset: segment.offset))
        }
      case nil, .header, .root, .trailer:
        try checkIsKnown(segment.frame.rawKind, segment.frame.flags, at: segment.offset)
      }
    }
    if !sawEnd {
      lose(nil, of: &pages)
      lostKinds.insert(.provenance)
    }
    if root == nil { knowsBlocks = sawRoot && !lostIndex && !lostKinds.contains(.index) }
    (trusted, others, unmentioned) = pages.judge(isUnique: header.ascendingUnique)
  }

  private mutating func lose(_ kind: SegmentKind?, of pages: inout DoubtfulPages) {
    pages.lose(kind)
    guard kind == nil, root == nil else { return }
    lostKinds.formUnion([.record, .layout])
  }

  /// Adds the pages of a region or states segment; false if it cannot be understood.
  private mutating func read(_ segment: SegmentScan.Segment, into pages: inout DoubtfulPages)
    -> Bool
  {
    let offset = segment.offset + UInt64(SegmentFrame.byteCount)
    do throws(CheckpointError) {
      let body = try body(at: segment.offset, segment.frame.kind)
      if segment.frame.kind == .region {
        pages.add(
          try RegionHeader(parsing: body.rawSpan, at: offset), offset: segment.offset,
          length: segment.length)
      } else {
        let extents = try StateExtent.parseList(body.rawSpan, at: offset)
        guard header.parent != nil || !extents.contains(where: { $0.status.state == .unchanged })
        else {
          throw CheckpointError(
            .damaged, "an unchanged page in a base", structure: "states", offset: offset)
        }
        pages.add(extents)
      }
      return true
    } catch {
      note(error)
      return false
    }
  }

  // MARK: Blocks

  /// The blocks to be described; pages that may have been elsewhere become `unknown`.
  private mutating func findBlocks() throws(CheckpointError) -> RangeList<BlockNumber> {
    var found = RangeList((Array(index.keys) + lostBlocks).map { $0..<$0.advanced(by: 1) })
    if !knowsBlocks {
      let stated = (trusted + others).map { BlockNumber.covering($0.pfn..<$0.end) }
      found = RangeList(found.ranges + stated)
      switch unmentioned {
      case .sound: break
      case .doubtful:
        // What the parent has may have changed.
        if let parent { found = RangeList(found.ranges + Self.blocks(of: parent)) }
        unknown = RangeList([0..<Limits.pfnEnd])
      case .doubtfulIn(let gaps):
        let blocks = unmentionedBlocks(gaps, named: found)
        found = RangeList(found.ranges + blocks.ranges)
      }
    }
    guard found.count <= Self.mostBlocks else {
      throw CheckpointError(
        .refused,
        "what is left names pages in \(found.count) blocks: an image has at most \(Self.mostBlocks)",
        file: file.name)
    }
    return found
  }

  /// Blocks in the gaps of which no page is named: unreadable as far as there is an end to them.
  private mutating func unmentionedBlocks(_ gaps: RangeList<PFN>, named: RangeList<BlockNumber>)
    -> RangeList<BlockNumber>
  {
    let gaps = RangeList(gaps.ranges.map { BlockNumber.covering($0) })
    let parents = RangeList(parent.map { Self.blocks(of: $0) } ?? []).subtracting(named)
    let end = max(
      named.ranges.last?.upperBound ?? BlockNumber(0),
      parents.ranges.last?.upperBound ?? BlockNumber(0))
    var accepted = parents.subtracting(parents.subtracting(gaps)).ranges
    var left = Self.mostUnmentionedBlocks
    var beyond: [Range<PFN>] = []
    for range in gaps.subtracting(named).subtracting(RangeList(accepted)).ranges {
      let inside = range.lowerBound..<max(range.lowerBound, min(range.upperBound, end))
      let isAccepted = UInt64(inside.count) <= left
      if isAccepted {
        accepted.append(inside)
        left -= UInt64(inside.count)
      }
      let rest = isAccepted ? inside.upperBound..<range.upperBound : range
      beyond.append(rest.lowerBound.firstPage..<rest.upperBound.firstPage)
    }
    unknown = RangeList(beyond)
    return RangeList(accepted)
  }

  private static func blocks(of parent: Chain) -> [Range<BlockNumber>] {
    parent.memoryTree.map { $0.block..<$0.block.advanced(by: 1) }
  }
}
