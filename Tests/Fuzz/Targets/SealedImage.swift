internal import CheckpointImage

/// An image made of the bodies of its segments. Frames, checksums, offsets, digests, root and trailer are
/// made right, so that what is wrong in a body is found by what reads that body, and not before.
///
/// The input is a list of `{u8 Kind, u16 Length, Body}`. Of kinds 8 and 9, root and trailer, the body is
/// a list of `{u16 Place, u8 Value}`: bytes of the root or trailer to be changed before it is sealed.
struct SealedImage {
  private(set) var bytes: [UInt8] = []
  private(set) var checkpointID = Digest.zero
  /// The pages of the blocks that the index has, as the moment shows them.
  private(set) var pages: [BlockNumber: [PageEntry]] = [:]
  /// How many pages the states segments speak of.
  private(set) var statedPages: UInt64 = 0
  private var alignmentShift: UInt8 = 3
  private var ordinal: UInt64 = 0

  /// - Parameter parent: if the header names a parent, it becomes this one.
  init(_ input: [UInt8], parent: SealedImage? = nil) {
    var captureID = [UInt8](repeating: 0, count: 16)
    var directory: [ImageRoot.DirectoryEntry] = []
    var blocks: [RootBody.BlockEntry] = []
    var counts = [UInt64](repeating: 0, count: 8)
    var records: [RecordKey] = []
    var storedPages: UInt64 = 0
    var rootChanges: [UInt8] = []
    var trailerChanges: [UInt8] = []
    var hasParent = false
    pages = parent?.pages ?? [:]
    for (rawKind, body) in Self.segments(input) {
      var body = body
      let offset = UInt64(bytes.count)
      switch SegmentKind(rawValue: UInt16(rawKind)) {
      case .root:
        rootChanges += body
        continue
      case .trailer:
        trailerChanges += body
        continue
      case .header:
        guard var header = try? ImageHeader(parsing: body.rawSpan, at: 0) else { break }
        if header.parent != nil, let parent {
          hasParent = true
          header.parent = parent.checkpointID
          body = header.encoded()
        }
        captureID = header.captureID
        alignmentShift = header.alignmentShift
      case .record:
        if let record = try? MachineRecord(parsing: body.rawSpan, at: 0) {
          records.append(record.key)
        }
      case .region:
        if let region = try? RegionHeader(parsing: body.rawSpan, at: 0) {
          storedPages += UInt64(region.pageCount)
        }
      case .states:
        let extents = try? StateExtent.parseList(body.rawSpan, at: 0)
        for extent in extents ?? [] { statedPages = min(1 << 52, statedPages + extent.count) }
      default: break
      }
      let frame = append(rawKind, body)
      guard frame.kind == .index else {
        if frame.kind != .region {
          directory.append(
            ImageRoot.DirectoryEntry(
              frame, offset: offset, digest: SHA256Hasher.digest(of: body)))
        }
        continue
      }
      var node: Digest?
      var number = BlockNumber(UInt64(blocks.count))
      if let block = try? IndexBlock(parsing: body.rawSpan, at: 0) {
        number = block.number
        var shown = BlockOverlay(over: pages[number])
        shown.lay(block)
        for entry in block.entries { counts[Int(entry.status.state.rawValue)] += 1 }
        pages[number] = shown.entries
        var digests = MemoryDigest()
        node = digests.block(shown.entries.span)
      }
      blocks.append(
        RootBody.BlockEntry(
          number: number, offset: offset, bodyLength: UInt32(body.count), node: node,
          digest: SHA256Hasher.digest(of: body)))
    }
    if !hasParent { pages = pages.filter { page in blocks.contains { $0.number == page.key } } }
    var nodes: [(block: BlockNumber, node: Digest?)] = []
    var digests = MemoryDigest()
    for (number, shown) in pages.sorted(by: { $0.key < $1.key }) {
      nodes.append((number, digests.block(shown.span)))
    }
    var tree = MemoryTree()
    tree.update(nodes.filter { $0.node != nil })
    let state = Identity.machineState(records)
    checkpointID = Identity.checkpoint(captureID: captureID, memory: tree.root, state: state)
    let hasLayout = directory.contains { $0.rawKind == SegmentKind.layout.rawValue }
    let data = counts[Int(PageState.data.rawValue)]
    let facts = ImageRoot(
      memory: tree.root, state: state, checkpointID: checkpointID, counts: counts,
      deadCopies: storedPages > data ? storedPages - data : 0,
      layout: hasLayout ? .exact : .none, directory: directory)
    var root = RootBody(root: facts, blocks: blocks).encoded()
    Self.change(&root, rootChanges)
    let rootOffset = UInt64(bytes.count)
    _ = append(UInt8(SegmentKind.root.rawValue), root)
    var trailer = ImageTrailer(
      rootOffset: rootOffset, rootLength: UInt64(root.count), segmentCount: ordinal + 1,
      fileLength: UInt64(bytes.count + ImageTrailer.segmentSize), checkpointID: checkpointID,
      fileID: Identity.file(rootBody: root.rawSpan)
    ).encoded()
    Self.change(&trailer, trailerChanges)
    _ = append(UInt8(SegmentKind.trailer.rawValue), trailer)
  }

  private static func segments(_ input: [UInt8]) -> [(kind: UInt8, body: [UInt8])] {
    var segments: [(kind: UInt8, body: [UInt8])] = []
    var rest = input[...]
    while rest.count >= 3 {
      let head = Array(rest.prefix(3))
      let body = rest.dropFirst(3).prefix(Int(head[1]) | Int(head[2]) << 8)
      segments.append((head[0], Array(body)))
      rest = rest.dropFirst(3 + body.count)
    }
    return segments
  }

  private mutating func append(_ rawKind: UInt8, _ body: [UInt8]) -> SegmentFrame {
    let kind = UInt16(rawKind)
    let padding = SegmentFrame.padding(
      bodyLength: UInt64(body.count), alignmentShift: alignmentShift, rawKind: kind)
    let padded = body + [UInt8](repeating: 0, count: padding)
    let frame = SegmentFrame(
      rawKind: kind, flags: SegmentKind(rawValue: kind).map(SegmentFrame.flags) ?? kind & 3,
      ordinal: ordinal, bodyLength: UInt64(body.count),
      bodyChecksum: Checksum.of(padded.rawSpan))
    ordinal += 1
    bytes += frame.encoded() + padded
    return frame
  }

  private static func change(_ body: inout [UInt8], _ changes: [UInt8]) {
    for place in stride(from: 0, to: changes.count - 2, by: 3) {
      let offset = Int(changes[place]) | Int(changes[place + 1]) << 8
      if offset < body.count { body[offset] = changes[place + 2] }
    }
  }

  /// Makes the checksum of the frame in the first bytes right.
  static func sealFrame(_ bytes: inout [UInt8]) {
    let covered = SegmentFrame.byteCount - 4
    guard bytes.count >= SegmentFrame.byteCount else { return }
    let checksum = Checksum.of(Array(bytes[..<covered]).rawSpan)
    for byte in 0..<4 {
      bytes[covered + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(byte)))
    }
  }
}
