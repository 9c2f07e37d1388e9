/// The body of a root segment: the root, and behind it the table of index blocks (Spec, "Root").
package struct RootBody: Hashable, Sendable {
  /// One index block.
  package struct BlockEntry: Hashable, Sendable {
    static let byteCount = 88
    /// The block.
    package var number: BlockNumber
    /// Byte offset of the index segment.
    package var offset: UInt64
    /// Bytes of the segment's body.
    package var bodyLength: UInt32
    /// The level-0 node of the memory digest after this image; nil if no page there is populated.
    package var node: Digest?
    /// SHA-256 of the index segment's body.
    package var digest: Digest

    /// Makes an entry.
    package init(
      number: BlockNumber, offset: UInt64, bodyLength: UInt32, node: Digest?, digest: Digest
    ) {
      self.number = number
      self.offset = offset
      self.bodyLength = bodyLength
      self.node = node
      self.digest = digest
    }

    /// Reads and checks an entry alone, which lies at `offset`.
    package init(parsing bytes: RawSpan, at offset: UInt64) throws(CheckpointError) {
      var reader = WireReader(bytes, structure: "root", at: offset)
      try self.init(parsing: &reader)
      try reader.end()
    }

    init(parsing reader: inout WireReader) throws(CheckpointError) {
      number = try BlockNumber(parsing: &reader)
      offset = try reader.read()
      bodyLength = try reader.read()
      let flags: UInt32 = try reader.read()
      let node = try reader.readDigest()
      digest = try reader.readDigest()
      try reader.expect("flags", flags, in: 0...1)
      if flags == 1 { try reader.expect("node of an empty block", node, .zero) }
      self.node = flags == 1 ? nil : node
    }

    func encode(into writer: inout WireWriter) {
      writer.write(number.value)
      writer.write(offset)
      writer.write(bodyLength)
      writer.write(UInt32(node == nil ? 1 : 0))
      writer.write(node ?? .zero)
      writer.write(digest)
    }
  }

  /// All but the table.
  package var root: ImageRoot
  /// The table: every index block, ascending.
  package var blocks: [BlockEntry]

  /// Makes a body.
  package init(root: ImageRoot, blocks: [BlockEntry]) {
    self.root = root
    self.blocks = blocks
  }

  /// Reads and checks the body of the root segment at `offset`.
  package init(parsing body: RawSpan, at offset: UInt64) throws(CheckpointError) {
    var reader = WireReader(body, structure: "root", at: offset)
    let blockCount: Int
    (root, blockCount) = try ImageRoot.parse(&reader)
    blocks = []
    blocks.reserveCapacity(blockCount)
    for _ in 0..<blockCount {
      let entry = try BlockEntry(parsing: &reader)
      if let last = blocks.last, entry.number <= last.number {
        throw reader.damaged("block \(entry.number) after block \(last.number)")
      }
      blocks.append(entry)
    }
    try reader.end()
  }

  /// Where the entry at a place of the table lies in the body of `root`'s segment.
  package static func range(ofBlock place: Int, behind root: ImageRoot) -> Range<Int> {
    let start = root.byteCount + place * BlockEntry.byteCount
    return start..<start + BlockEntry.byteCount
  }

  /// The body.
  package func encoded() -> [UInt8] {
    var writer = WireWriter(
      capacity: root.byteCount + blocks.count * BlockEntry.byteCount)
    root.encode(into: &writer, blockCount: blocks.count)
    for entry in blocks { entry.encode(into: &writer) }
    return writer.bytes
  }
}
