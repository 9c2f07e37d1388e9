/// The last segment: where the root lies, and the file's identities (Spec, "Trailer").
package struct ImageTrailer: Hashable, Sendable {
  /// Bytes of the body.
  package static let bodySize = 96
  /// Bytes of the whole segment: the last bytes of a complete image.
  package static let segmentSize = SegmentFrame.byteCount + bodySize

  /// Byte offset of the root segment.
  package var rootOffset: UInt64
  /// Bytes of the root's body.
  package var rootLength: UInt64
  /// Segments in the file, the trailer included.
  package var segmentCount: UInt64
  /// Bytes of the file.
  package var fileLength: UInt64
  /// The moment's identity, as in the root.
  package var checkpointID: Digest
  /// The file's identity.
  package var fileID: Digest

  /// Makes a trailer.
  package init(
    rootOffset: UInt64, rootLength: UInt64, segmentCount: UInt64, fileLength: UInt64,
    checkpointID: Digest, fileID: Digest
  ) {
    self.rootOffset = rootOffset
    self.rootLength = rootLength
    self.segmentCount = segmentCount
    self.fileLength = fileLength
    self.checkpointID = checkpointID
    self.fileID = fileID
  }

  /// Reads the body of the trailer at `offset`.
  package init(parsing body: RawSpan, at offset: UInt64) throws(CheckpointError) {
    var reader = WireReader(body, structure: "trailer", at: offset)
    rootOffset = try reader.read()
    rootLength = try reader.read()
    segmentCount = try reader.read()
    fileLength = try reader.read()
    checkpointID = try reader.readDigest()
    fileID = try reader.readDigest()
    try reader.end()
    try reader.expect("root length", rootLength, in: 0...UInt64(Limits.maximumBody))
  }

  /// The body of the trailer.
  package func encoded() -> [UInt8] {
    var writer = WireWriter(capacity: Self.bodySize)
    writer.write(rootOffset)
    writer.write(rootLength)
    writer.write(segmentCount)
    writer.write(fileLength)
    writer.write(checkpointID)
    writer.write(fileID)
    return writer.bytes
  }
}
