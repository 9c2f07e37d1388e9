/// The root of the index and the table of segments (Spec, "Root").
public struct ImageRoot: Hashable, Sendable {
  /// A segment that holds neither pages nor an index block.
  public struct DirectoryEntry: Hashable, Sendable {
    static let byteCount = 64
    /// The segment's kind.
    public var rawKind: UInt16
    /// The frame's flags.
    public var flags: UInt16
    /// The frame's ordinal.
    public var ordinal: UInt64
    /// Byte offset of the frame.
    public var offset: UInt64
    /// Bytes of the body.
    public var bodyLength: UInt64
    /// SHA-256 of the body.
    public var digest: Digest

    /// Makes an entry.
    public init(_ frame: SegmentFrame, offset: UInt64, digest: Digest) {
      rawKind = frame.rawKind
      flags = frame.flags
      ordinal = frame.ordinal
      bodyLength = frame.bodyLength
      self.offset = offset
      self.digest = digest
    }

    init(parsing reader: inout WireReader) throws(CheckpointError) {
      rawKind = try reader.read()
      flags = try reader.read()
      try reader.zeros(4, "reserved")
      ordinal = try reader.read()
      offset = try reader.read()
      bodyLength = try reader.read()
      digest = try reader.readDigest()
      try reader.expect("body length", bodyLength, in: 0...UInt64(Limits.maximumBody))
    }

    func encode(into writer: inout WireWriter) {
      writer.write(rawKind)
      writer.write(flags)
      writer.write(UInt32(0))
      writer.write(ordinal)
      writer.write(offset)
      writer.write(bodyLength)
      writer.write(digest)
    }
  }

  /// One index block.
  public struct BlockEntry: Hashable, Sendable {
    static let byteCount = 88
    /// PFN / 512.
    public var number: UInt64
    /// Byte offset of the index segment.
    public var offset: UInt64
    /// Bytes of the segment's body.
    public var bodyLength: UInt32
    /// The level-0 node of the memory digest after this image; nil if no page there is populated.
    public var node: Digest?
    /// SHA-256 of the index segment's body.
    public var digest: Digest

    /// Makes an entry.
    public init(
      number: UInt64, offset: UInt64, bodyLength: UInt32, node: Digest?, digest: Digest
    ) {
      self.number = number
      self.offset = offset
      self.bodyLength = bodyLength
      self.node = node
      self.digest = digest
    }

    init(parsing reader: inout WireReader) throws(CheckpointError) {
      number = try reader.read()
      offset = try reader.read()
      bodyLength = try reader.read()
      let flags: UInt32 = try reader.read()
      let node = try reader.readDigest()
      digest = try reader.readDigest()
      try reader.expect("block", number, in: 0...Limits.lastBlock)
      try reader.expect("flags", flags, in: 0...1)
      if flags == 1 { try reader.expect("node of an empty block", node, .zero) }
      self.node = flags == 1 ? nil : node
    }

    func encode(into writer: inout WireWriter) {
      writer.write(number)
      writer.write(offset)
      writer.write(bodyLength)
      writer.write(UInt32(node == nil ? 1 : 0))
      writer.write(node ?? .zero)
      writer.write(digest)
    }
  }

  private static let fixedSize = 184

  /// The digest of the memory after this image.
  public var memory: Digest
  /// The digest of the machine's state.
  public var state: Digest
  /// The moment's identity.
  public var checkpointID: Digest
  /// Index entries by state; the place of a count is the state's number.
  public var counts: [UInt64]
  /// Pages in regions that no index entry refers to.
  public var deadCopies: UInt64
  /// How much of the source's byte layout is kept.
  public var layout: LayoutKind
  /// Every segment but regions, index blocks, root and trailer, in file order.
  public var directory: [DirectoryEntry]
  /// Every index block, ascending.
  public var blocks: [BlockEntry]

  /// Makes a root.
  public init(
    memory: Digest, state: Digest, checkpointID: Digest, counts: [UInt64], deadCopies: UInt64,
    layout: LayoutKind, directory: [DirectoryEntry], blocks: [BlockEntry]
  ) {
    self.memory = memory
    self.state = state
    self.checkpointID = checkpointID
    self.counts = counts
    self.deadCopies = deadCopies
    self.layout = layout
    self.directory = directory
    self.blocks = blocks
  }

  /// The number of index entries in a state.
  public func count(_ state: PageState) -> UInt64 { counts[Int(state.rawValue)] }

  /// The entry of a block, if this image has one.
  public func block(_ number: UInt64) -> BlockEntry? {
    var low = 0
    var high = blocks.count
    while low < high {
      let middle = (low + high) / 2
      if blocks[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low < blocks.count && blocks[low].number == number ? blocks[low] : nil
  }

  /// Reads and checks the body of the root segment at `offset`.
  public init(parsing body: RawSpan, at offset: UInt64) throws(CheckpointError) {
    var reader = WireReader(body, structure: "root", at: offset)
    memory = try reader.readDigest()
    state = try reader.readDigest()
    checkpointID = try reader.readDigest()
    counts = []
    for _ in 0..<8 { counts.append(try reader.read()) }
    deadCopies = try reader.read()
    let rawLayout: UInt32 = try reader.read()
    guard let layout = LayoutKind(rawValue: rawLayout) else {
      throw reader.damaged("layout: found \(rawLayout), expected 0 to 2")
    }
    self.layout = layout
    let directoryCount = Int(try reader.read(UInt32.self))
    let blockCount: UInt64 = try reader.read()
    try reader.expect(
      "directory entries", directoryCount,
      in: 1...max(1, reader.remaining / DirectoryEntry.byteCount))
    let left = reader.remaining - directoryCount * DirectoryEntry.byteCount
    guard left >= 0, left % BlockEntry.byteCount == 0,
      blockCount == UInt64(left / BlockEntry.byteCount)
    else {
      throw reader.damaged(
        "\(directoryCount) directory entries and \(blockCount) blocks in \(body.byteCount) bytes")
    }
    directory = []
    directory.reserveCapacity(directoryCount)
    for _ in 0..<directoryCount {
      let entry = try DirectoryEntry(parsing: &reader)
      if let last = directory.last, entry.ordinal <= last.ordinal || entry.offset <= last.offset {
        throw reader.damaged("directory is not in file order")
      }
      directory.append(entry)
    }
    let records = directory.count { $0.rawKind == SegmentKind.record.rawValue }
    try reader.expect("records", records, in: 0...Limits.maximumRecords)
    blocks = []
    blocks.reserveCapacity(Int(blockCount))
    for _ in 0..<blockCount {
      let entry = try BlockEntry(parsing: &reader)
      if let last = blocks.last, entry.number <= last.number {
        throw reader.damaged("block \(entry.number) after block \(last.number)")
      }
      blocks.append(entry)
    }
    try reader.end()
  }

  /// The body of the root segment.
  public func encoded() -> [UInt8] {
    var writer = WireWriter(
      capacity: Self.fixedSize + directory.count * DirectoryEntry.byteCount
        + blocks.count * BlockEntry.byteCount)
    writer.write(memory)
    writer.write(state)
    writer.write(checkpointID)
    for count in counts { writer.write(count) }
    writer.write(deadCopies)
    writer.write(layout.rawValue)
    writer.write(UInt32(directory.count))
    writer.write(UInt64(blocks.count))
    for entry in directory { entry.encode(into: &writer) }
    for entry in blocks { entry.encode(into: &writer) }
    return writer.bytes
  }
}
