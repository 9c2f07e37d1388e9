internal import CheckpointCodec
internal import CheckpointImage

/// Derives offsets, ordinals and digests from the segments of an image so far.
struct Sealer {
  private let codec = RegionCodec()
  /// A region that index entries can refer to.
  struct Region {
    var ordinal: UInt64
    var offset: UInt64
    var length: UInt32
    /// The digests of its pages; empty if it cannot be expanded.
    var pages: [Digest]

    /// The digests of some slots; nil if any is unknown.
    func digests(_ slots: Range<Int>) -> [Digest]? {
      slots.upperBound <= pages.count ? Array(pages[slots]) : nil
    }
  }

  /// The offset of the next segment.
  private(set) var offset: UInt64 = 0
  /// The number of segments so far.
  private(set) var count: UInt64 = 0
  /// The header; nil if it was not understood.
  private(set) var header: ImageHeader?
  private var regions: [UInt64: Region] = [:]
  private var ordinals: [UInt64: UInt64] = [:]
  private var records: [RecordKey] = []
  private var directory: [ImageRoot.DirectoryEntry] = []
  private var blocks: [RootBody.BlockEntry] = []
  private var counts = [UInt64](repeating: 0, count: 8)
  private var regionPages: UInt64 = 0
  private var rootPlace: (offset: UInt64, length: UInt64, fileID: Digest, checkpointID: Digest)?

  var isBase: Bool { header?.parent == nil }
  var captureID: [UInt8] { header?.captureID ?? [] }
  var alignmentShift: UInt8 { header?.alignmentShift ?? 3 }

  func region(_ ordinal: UInt64) -> Region? { regions[ordinal] }

  func region(at offset: UInt64) -> Region? { ordinals[offset].flatMap { regions[$0] } }

  /// Skips bytes that are not a segment.
  mutating func skip(_ bytes: Int) { offset += UInt64(bytes) }

  /// Adds a segment that takes `length` bytes, including frame and padding.
  mutating func add(_ frame: SegmentFrame, _ body: [UInt8], length: Int) {
    switch frame.kind {
    case .region, .index, .root, .trailer: break
    default:
      directory.append(
        ImageRoot.DirectoryEntry(frame, offset: offset, digest: SHA256Hasher.digest(of: body)))
    }
    let bytes = body.rawSpan
    switch frame.kind {
    case .header where count == 0:
      header = try? ImageHeader(parsing: body.rawSpan, at: offset)
    case .record:
      if let record = try? MachineRecord(parsing: bytes, at: offset) { records.append(record.key) }
    case .region:
      let pages = digests(body)
      regionPages += UInt64((try? RegionHeader(parsing: bytes, at: offset))?.pageCount ?? 0)
      regions[count] = Region(
        ordinal: count, offset: offset, length: UInt32(truncatingIfNeeded: length), pages: pages)
      ordinals[offset] = count
    case .index: add(index: body)
    case .root:
      let root = (try? RootBody(parsing: bytes, at: offset))?.root
      rootPlace = (
        offset, UInt64(body.count), Identity.file(rootBody: body.rawSpan),
        root?.checkpointID ?? .zero
      )
    default: break
    }
    offset += UInt64(length)
    count += 1
  }

  private func digests(_ body: [UInt8]) -> [Digest] {
    guard let header = try? RegionHeader(parsing: body.rawSpan, at: 0) else { return [] }
    let buffer = PageBuffer(pages: header.pageCount)
    guard
      (try? codec.decode(body.rawSpan, header, into: buffer, at: 0, offset: 0))
        != nil
    else { return [] }
    let hasher = SHA256Hasher()
    return (0..<header.pageCount).map { hasher.digest(of: buffer.page($0)) }
  }

  private mutating func add(index body: [UInt8]) {
    guard let block = try? IndexBlock(parsing: body.rawSpan, at: offset) else { return }
    var pages = BlockOverlay()
    pages.lay(block)
    for entry in block.entries { counts[Int(entry.status.state.rawValue)] += 1 }
    var digests = MemoryDigest()
    blocks.append(
      RootBody.BlockEntry(
        number: block.number, offset: offset, bodyLength: UInt32(body.count),
        node: digests.block(pages.entries.span), digest: SHA256Hasher.digest(of: body)))
  }

  /// The root with its table, derived except for what `form` overrides.
  func rootBody(_ form: RootForm) -> RootBody {
    var entries = directory
    if let given = form.directory {
      entries = given.map { entry in
        let frame = SegmentFrame(
          rawKind: entry.kind, flags: entry.flags, ordinal: entry.ordinal,
          bodyLength: entry.bodyLength, bodyChecksum: 0)
        return ImageRoot.DirectoryEntry(frame, offset: entry.offset, digest: entry.digest.digest)
      }
    }
    var table = blocks
    if let given = form.blocks {
      table = given.enumerated().map { place, entry in
        RootBody.BlockEntry(
          number: BlockNumber(entry.block), offset: entry.offset, bodyLength: entry.bodyLength,
          node: place < blocks.count ? blocks[place].node : nil, digest: entry.digest.digest)
      }
    }
    let memory = form.memoryDigest?.digest ?? memory(table)
    let state = form.stateDigest?.digest ?? Identity.machineState(records)
    let data = counts[Int(PageState.data.rawValue)]
    let root = ImageRoot(
      memory: memory, state: state,
      checkpointID: form.checkpointID?.digest
        ?? Identity.checkpoint(captureID: captureID, memory: memory, state: state),
      counts: form.counts ?? counts,
      deadCopies: form.deadCopies ?? (regionPages >= data ? regionPages - data : 0),
      layout: .none, directory: entries)
    return RootBody(root: root, blocks: table)
  }

  private func memory(_ table: [RootBody.BlockEntry]) -> Digest {
    // Blocks that do not ascend are damaged and have no tree.
    guard zip(table, table.dropFirst()).allSatisfy({ $0.number < $1.number }),
      table.last?.number ?? BlockNumber(0) <= BlockNumber.last
    else { return .zero }
    var tree = MemoryTree()
    tree.update(table.map { ($0.number, $0.node) })
    return tree.root
  }

  /// The derived trailer.
  var trailer: ImageTrailer {
    ImageTrailer(
      rootOffset: rootPlace?.offset ?? 0, rootLength: rootPlace?.length ?? 0,
      segmentCount: count + 1, fileLength: offset + UInt64(ImageTrailer.segmentSize),
      checkpointID: rootPlace?.checkpointID ?? .zero, fileID: rootPlace?.fileID ?? .zero)
  }
}
