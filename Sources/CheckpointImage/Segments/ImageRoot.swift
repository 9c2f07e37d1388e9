/// What a root records of its moment, and the table of segments (Spec, "Root"). The table of index blocks behind
/// it, which is as long as the guest is large, is in ``RootBody``.
package struct ImageRoot: Hashable, Sendable {
  /// A segment that holds neither pages nor an index block.
  package struct DirectoryEntry: Hashable, Sendable {
    static let byteCount = 64
    /// The segment's kind.
    package var rawKind: UInt16
    /// The frame's flags.
    package var flags: UInt16
    /// The frame's ordinal.
    package var ordinal: UInt64
    /// Byte offset of the frame.
    package var offset: UInt64
    /// Bytes of the body.
    package var bodyLength: UInt64
    /// SHA-256 of the body.
    package var digest: Digest

    /// Makes an entry.
    package init(_ frame: SegmentFrame, offset: UInt64, digest: Digest) {
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

  static let fixedSize = 184

  /// The digest of the memory after this image.
  package var memory: Digest
  /// The digest of the machine's state.
  package var state: Digest
  /// The moment's identity.
  package var checkpointID: Digest
  /// Index entries by state; the place of a count is the state's number.
  package var counts: [UInt64]
  /// Pages in regions that no index entry refers to.
  package var deadCopies: UInt64
  /// How much of the source's byte layout is kept.
  package var layout: LayoutKind
  /// Every segment but regions, index blocks, root and trailer, in file order.
  package var directory: [DirectoryEntry]

  /// Makes a root.
  package init(
    memory: Digest, state: Digest, checkpointID: Digest, counts: [UInt64], deadCopies: UInt64,
    layout: LayoutKind, directory: [DirectoryEntry]
  ) {
    self.memory = memory
    self.state = state
    self.checkpointID = checkpointID
    self.counts = counts
    self.deadCopies = deadCopies
    self.layout = layout
    self.directory = directory
  }

  /// The number of index entries in a state.
  package func count(_ state: PageState) -> UInt64 { counts[Int(state.rawValue)] }

  /// Bytes in front of the table of index blocks.
  var byteCount: Int { Self.fixedSize + directory.count * DirectoryEntry.byteCount }

  /// Reads all but the table of index blocks; returns also how many entries that has.
  static func parse(_ reader: inout WireReader) throws(CheckpointError) -> (
    root: ImageRoot, blockCount: Int
  ) {
    let memory = try reader.readDigest()
    let state = try reader.readDigest()
    let checkpointID = try reader.readDigest()
    var counts: [UInt64] = []
    for _ in 0..<8 { counts.append(try reader.read()) }
    let deadCopies: UInt64 = try reader.read()
    let rawLayout: UInt32 = try reader.read()
    guard let layout = LayoutKind(rawValue: rawLayout) else {
      throw reader.damaged("layout: found \(rawLayout), expected 0 to 2")
    }
    let directoryCount = Int(try reader.read(UInt32.self))
    let blockCount: UInt64 = try reader.read()
    try reader.expect(
      "directory entries", directoryCount,
      in: 1...max(1, reader.remaining / DirectoryEntry.byteCount))
    let left = reader.remaining - directoryCount * DirectoryEntry.byteCount
    guard left >= 0, left % RootBody.BlockEntry.byteCount == 0,
      blockCount == UInt64(left / RootBody.BlockEntry.byteCount)
    else {
      throw reader.damaged(
        "\(directoryCount) directory entries and \(blockCount) blocks in \(reader.byteCount) bytes")
    }
    var directory: [DirectoryEntry] = []
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
    let root = ImageRoot(
      memory: memory, state: state, checkpointID: checkpointID, counts: counts,
      deadCopies: deadCopies, layout: layout, directory: directory)
    return (root, Int(blockCount))
  }

  func encode(into writer: inout WireWriter, blockCount: Int) {
    writer.write(memory)
    writer.write(state)
    writer.write(checkpointID)
    for count in counts { writer.write(count) }
    writer.write(deadCopies)
    writer.write(layout.rawValue)
    writer.write(UInt32(directory.count))
    writer.write(UInt64(blockCount))
    for entry in directory { entry.encode(into: &writer) }
  }
}
