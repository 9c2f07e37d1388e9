package import CheckpointImage
package import Storage
/// The sink that writes an image: header, segments, index, root, trailer, in one pass.
package final class ImageWriter: EventSink {
  package typealias Event = CheckpointEvent<[EncodedRegion]>

  /// What an image became.
  package struct Summary: Sendable {
    /// The moment's identity.
    package var checkpointID: Digest
    /// The root as written.
    package var root: ImageRoot
    /// The file's identity.
    package var fileID: Digest
    /// Bytes of the file.
    package var fileLength: UInt64
  }

  private let output: any ByteSink
  private let header: ImageHeader
  private let parent: (any ParentMemory)?
  private var segments: SegmentWriter
  private var log = PageLog()
  private var records: [RecordKey] = []
  private var staticRecords = StaticRecords()
  private var states: [StateExtent] = []
  private var layout: [LayoutItem] = []
  private var layoutRuns = 0
  private var layoutPFNs: UInt64 = 0
  private var hasLayout = false
  private var deadCopies: UInt64 = 0

  /// Begins an image. An increment's header names its parent, which `parent` describes.
  package init(_ header: ImageHeader, parent: (any ParentMemory)? = nil, to output: any ByteSink)
    throws(CheckpointError)
  {
    self.output = output
    self.header = header
    self.parent = parent
    segments = SegmentWriter(output, alignmentShift: header.alignmentShift)
    try segments.write(.header, header.encoded())
  }

  /// The state of a page that is not mentioned.
  private var defaultState: PageState { parent == nil ? .unpopulated : .unchanged }

  /// Takes what is to be written.
  package func receive(_ event: Event) throws(CheckpointError) {
    switch event {
    case .pages(let regions):
      for region in regions { try write(region) }
    case .states(let extent):
      try write(extent)
    case .record(let record):
      try write(record)
    case .layout(let item):
      try write(item)
    case .newPass:
      try beginPass()
    }
  }

  /// Takes note that all events were received.
  package func finish() throws(CheckpointError) {
    try flushStates()
    try flushLayout()
  }

  /// Leaves what was written so far beside the output's name, for a salvage. Returns its path; nil if no
  /// page was stored yet, or it cannot be left there.
  package func keepUnfinished() -> String? {
    guard log.hasPages, (try? flushStates()) != nil, (try? segments.flush()) != nil else {
      return nil
    }
    return output.keepUnfinished()
  }

  /// Copies a segment of a kind this library does not know, which allows that.
  package func copy(_ entry: ImageRoot.DirectoryEntry, body: ArraySlice<UInt8>)
    throws(CheckpointError)
  {
    try segments.write(rawKind: entry.rawKind, flags: entry.flags, body)
  }

  private func write(_ region: EncodedRegion) throws(CheckpointError) {
    try checkRoom()
    let place = try segments.write(.region, region.body)
    log.add(region, offset: place.offset, length: place.length)
    deadCopies += UInt64(region.deadCopies)
  }

  private func checkRoom() throws(CheckpointError) {
    guard log.hasRoom else {
      throw CheckpointError(.refused, "more than 2^32 pages or passes", file: output.name)
    }
  }

  private func write(_ extent: StateExtent) throws(CheckpointError) {
    try checkRoom()
    log.add(extent)
    // In a first pass the default need not be stated; later it may supersede an earlier copy.
    if extent.status.state == defaultState && !log.hasSeveralPasses { return }
    states.append(extent)
    if states.count == 4096 { try flushStates() }
  }

  private func beginPass() throws(CheckpointError) {
    guard !header.ascendingUnique else {
      throw CheckpointError(
        .refused, "PFNs do not ascend, as the header says that they do",
        file: output.name)
    }
    try checkRoom()
    try flushStates()
    log.newPass()
  }

  private func flushStates() throws(CheckpointError) {
    guard !states.isEmpty else { return }
    try segments.write(.states, StateExtent.encodeList(states))
    states.removeAll(keepingCapacity: true)
  }

  private func write(_ record: MachineRecord) throws(CheckpointError) {
    guard records.count < Limits.maximumRecords else {
      throw CheckpointError(
        .refused, "more than \(Limits.maximumRecords) machine records",
        file: output.name)
    }
    if let other = staticRecords.insert(record.key) {
      throw CheckpointError(
        .mismatch,
        "\(record.key.namespace) record \(record.key.type) comes twice: found \(record.key.digest), "
          + "expected \(other.digest)", file: output.name)
    }
    records.append(record.key)
    try segments.write(.record, record.encoded())
  }

  private func write(_ item: LayoutItem) throws(CheckpointError) {
    hasLayout = true
    // Large ones stand alone: a segment's length is limited.
    if case .bytes(_, let bytes) = item, bytes.count > 4096 {
      try flushLayout()
      try segments.write(.layout, LayoutItem.encodeList([item]))
      return
    }
    layout.append(item)
    if case .pages(let pages) = item {
      layoutRuns += pages.runs.count
      // Whatever is above the limit has the same effect.
      for run in pages.runs { layoutPFNs = min(layoutPFNs + run.count, 1 << 62) }
    }
    if layoutRuns + layout.count >= 4096 { try flushLayout() }
  }

  private func flushLayout() throws(CheckpointError) {
    guard !layout.isEmpty else { return }
    try segments.write(.layout, LayoutItem.encodeList(layout))
    layout.removeAll(keepingCapacity: true)
    layoutRuns = 0
  }

  /// Ends the image: provenance, index, root, trailer.
  ///
  /// - Parameters:
  ///   - provenance: the image's history, oldest first.
  ///   - complete: every page of the guest was given.
  ///   - vanished: what became of pages of the parent that were not given, if all were: `unpopulated`, or `unreadable`.
  ///   - layout: what the source's layout is good for, if not found out here.
  ///   - expecting: the memory digest that the index must have; checked before the trailer is written.
  package func seal(
    _ provenance: [Provenance], complete: Bool, vanished: PageState = .unpopulated,
    layout layoutKind: LayoutKind? = nil, expecting: Digest? = nil
  ) throws(CheckpointError) -> Summary {
    if complete, let parent { try recordVanishedPages(parent, as: PageStatus(vanished)) }
    for provenance in provenance { try segments.write(.provenance, provenance.encoded()) }
    let index = try writeIndex()
    var tree = parent?.memoryTree ?? MemoryTree()
    tree.update(index.blocks.map { ($0.number, $0.node) })
    if let expecting, tree.root != expecting {
      throw CheckpointError(
        .damaged, "memory digest of the result: found \(tree.root), expected \(expecting)",
        structure: "index", file: output.name)
    }
    let state = Identity.machineState(records)
    let root = ImageRoot(
      memory: tree.root, state: state,
      checkpointID: Identity.checkpoint(
        captureID: header.captureID, memory: tree.root, state: state),
      counts: index.counts, deadCopies: deadCopies + index.deadCopies,
      layout: layoutKind ?? self.layoutKind(repeated: index.repeated, blocks: tree.count),
      directory: segments.directory)
    let body = RootBody(root: root, blocks: index.blocks).encoded()
    let place = try segments.write(.root, body)
    let fileID = Identity.file(rootBody: body.rawSpan)
    let trailer = ImageTrailer(
      rootOffset: place.offset, rootLength: UInt64(body.count), segmentCount: segments.count + 1,
      fileLength: segments.offset + UInt64(ImageTrailer.segmentSize),
      checkpointID: root.checkpointID, fileID: fileID)
    try segments.write(.trailer, trailer.encoded())
    try segments.flush()
    return Summary(
      checkpointID: root.checkpointID, root: root, fileID: fileID, fileLength: segments.offset)
  }

  /// Records pages that the parent has and the source did not give.
  private func recordVanishedPages(_ parent: any ParentMemory, as status: PageStatus)
    throws(CheckpointError)
  {
    var mentioned: [BlockNumber: PageSet] = [:]
    let known = parent.memoryTree
    _ = try log.forEachBlock { (block) throws(CheckpointError) in
      guard known[block.number] != nil else { return }
      var set = PageSet()
      for slot in 0..<Limits.blockPages where block.entries[slot] != nil { set[slot] = true }
      mentioned[block.number] = set
    }
    var vanished = RunJoiner<PageStatus>()
    for (number, _) in known {
      let set = mentioned[number] ?? PageSet()
      guard set.count < Limits.blockPages, let pages = try parent.pages(ofBlock: number) else {
        continue
      }
      for slot in 0..<Limits.blockPages
      where !set[slot] && pages[slot].status.state != .unpopulated {
        let pfn = number.pfn(slot)
        if let extent = vanished.add(pfn..<pfn + 1, status) { try write(extent) }
      }
    }
    if let extent = vanished.end() { try write(extent) }
    try flushStates()
  }

  private struct Index {
    var blocks: [RootBody.BlockEntry] = []
    var counts = [UInt64](repeating: 0, count: 8)
    var deadCopies: UInt64 = 0
    var repeated: UInt64 = 0
  }

  private func writeIndex() throws(CheckpointError) -> Index {
    var index = Index()
    var digests = MemoryDigest()
    let found = try log.forEachBlock { (logged) throws(CheckpointError) in
      var block = IndexBlock(number: logged.number)
      for slot in 0..<Limits.blockPages {
        guard let entry = logged.entries[slot], entry.status.state != defaultState else { continue }
        block.append(entry, slot: slot)
        index.counts[Int(entry.status.state.rawValue)] += 1
      }
      guard !block.entries.isEmpty else { return }
      var pages = BlockOverlay(over: try parent?.pages(ofBlock: logged.number))
      pages.lay(block)
      let body = block.encoded()
      let place = try segments.write(.index, body)
      index.blocks.append(
        RootBody.BlockEntry(
          number: logged.number, offset: place.offset, bodyLength: UInt32(body.count),
          node: digests.block(pages.entries.span), digest: SHA256Hasher.digest(of: body)))
    }
    index.deadCopies = found.deadCopies
    index.repeated = found.repeated
    return index
  }

  /// An exact layout gives each page once, and is in proportion to the memory.
  private func layoutKind(repeated: UInt64, blocks: Int) -> LayoutKind {
    guard hasLayout else { return .none }
    return repeated == 0 && layoutPFNs <= Limits.layoutPFNs(blocks: blocks) ? .exact : .canonical
  }
}
