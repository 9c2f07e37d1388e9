package import CheckpointImage
package import Storage
internal import Synchronization

/// A complete image opened for reading: header, trailer and root are read and checked, the rest on demand.
///
/// Opening takes one read of the first bytes and one of the last, unless the root is longer than these. All that
/// is read afterwards has a recorded length, and takes one read.
package final class ImageFile: Sendable {
  /// Where its bytes are.
  package let storage: any RangeReader
  /// The header.
  package let header: ImageHeader
  /// The trailer.
  package let trailer: ImageTrailer
  /// The root of the index.
  package let root: ImageRoot
  /// The numbers of its index blocks, ascending.
  package let blockNumbers: [BlockNumber]
  /// Whether reading is to stop; given by whoever opened the image.
  package let cancellation: Cancellation
  /// The root's table of index blocks; nil once it was dropped, and is read again when it is needed.
  private let table: Mutex<[RootBody.BlockEntry]?>

  /// The name used in messages.
  package var name: String { storage.name }

  private static let headSize: UInt64 = 1 << 12

  /// How much of the end of a file is read at once, to have the whole root most of the time. The root has some 90 bytes
  /// for each block of 2 MiB that the image has pages of: a large share of an increment with a few pages in many
  /// blocks, a small one of a base.
  private static func tailSize(_ length: UInt64) -> UInt64 {
    let ofIncrement = min(length / 16, 1 << 15)
    let ofBase = length / 4096
    return min(max(ofIncrement + ofBase, 1 << 14), 1 << 20)
  }

  /// Opens an image of this machine; `-` is standard input.
  package convenience init(_ path: String, cancellation: Cancellation = Cancellation())
    throws(CheckpointError)
  {
    try self.init(LocalFile(path, cancellation: cancellation), cancellation: cancellation)
  }

  /// Opens the image that is stored somewhere.
  package init(_ storage: any RangeReader, cancellation: Cancellation = Cancellation())
    throws(CheckpointError)
  {
    self.storage = storage
    self.cancellation = cancellation
    do throws(CheckpointError) {
      let edges = try EdgeCache(
        storage, head: Self.headSize, tail: Self.tailSize(storage.length))
      header = try ImageHeader(in: edges)
      trailer = try ImageTrailer(in: edges)
      let body: RootBody
      do throws(CheckpointError) {
        body = try RootBody(in: edges, header, trailer)
      } catch {
        // The file has its end: a place behind that is a wrong number, not a cut.
        var error = error
        if error.kind == .incomplete { error.kind = .damaged }
        throw error
      }
      root = body.root
      blockNumbers = body.blocks.map(\.number)
      table = Mutex(body.blocks)
    } catch {
      throw error.inFile(storage.name)
    }
  }

  /// The same image, read ahead in pieces of 1 MiB: for work that goes through most of it in order.
  ///
  /// - Parameter pieces: where they are kept; images of one chain share it.
  package func readingAhead(_ pieces: ReadAhead.Pieces) -> ImageFile {
    ImageFile(self, storage: ReadAhead(storage, pieces))
  }

  private init(_ image: ImageFile, storage: any RangeReader) {
    self.storage = storage
    header = image.header
    trailer = image.trailer
    root = image.root
    blockNumbers = image.blockNumbers
    cancellation = image.cancellation
    table = Mutex(image.table.withLock { $0 })
  }

  // MARK: The table of index blocks

  /// The root's table of index blocks, ascending.
  package func blocks() throws(CheckpointError) -> [RootBody.BlockEntry] {
    if let known = table.withLock({ $0 }) { return known }
    do throws(CheckpointError) {
      return try RootBody(in: storage, header, trailer).blocks
    } catch {
      throw error.inFile(name)
    }
  }

  /// Drops the table, which has some 90 bytes for every 2 MiB of the guest: a chain may have hundreds of images.
  package func dropTable() { table.withLock { $0 = nil } }

  /// Whether the image has an index block of this number.
  package func hasBlock(_ number: BlockNumber) -> Bool { place(ofBlock: number) != nil }

  /// The place of a block in the root's table.
  private func place(ofBlock number: BlockNumber) -> Int? {
    let place = blockNumbers.indices.partitioningIndex { blockNumbers[$0] >= number }
    return place < blockNumbers.count && blockNumbers[place] == number ? place : nil
  }

  private func entry(at place: Int) throws(CheckpointError) -> RootBody.BlockEntry {
    if let known = table.withLock({ $0?[place] }) { return known }
    let range = RootBody.range(ofBlock: place, behind: root)
    let offset = trailer.rootOffset + UInt64(SegmentFrame.byteCount + range.lowerBound)
    let bytes = try storage.bytes(at: offset, count: range.count)
    let entry = try RootBody.BlockEntry(parsing: bytes.rawSpan, at: offset)
    guard entry.number == blockNumbers[place] else {
      throw CheckpointError(
        .damaged, "block: found \(entry.number), \(blockNumbers[place]) when the image was opened",
        structure: "root", offset: offset)
    }
    return entry
  }

  // MARK: Segments

  /// Reads and checks a segment of which the body's length is recorded.
  private func segment(at offset: UInt64, bodyLength: UInt64, _ kind: SegmentKind?)
    throws(CheckpointError) -> Segment
  {
    let padding = SegmentFrame.padding(
      bodyLength: bodyLength, alignmentShift: header.alignmentShift, rawKind: kind?.rawValue ?? 0)
    return try Segment(
      in: storage, at: offset,
      length: UInt64(SegmentFrame.byteCount) + bodyLength + UInt64(padding),
      alignmentShift: header.alignmentShift, expecting: kind)
  }

  /// The bodies of the directory's segments of one kind, in file order, each with its offset.
  package func segments(_ kind: SegmentKind) throws(CheckpointError)
    -> [(offset: UInt64, body: ArraySlice<UInt8>)]
  {
    var found: [(offset: UInt64, body: ArraySlice<UInt8>)] = []
    for entry in root.directory where entry.rawKind == kind.rawValue {
      found.append((entry.offset + UInt64(SegmentFrame.byteCount), try body(of: entry)))
    }
    return found
  }

  /// The body of a directory's segment, which must be the one that the file ID vouches for.
  package func body(of entry: ImageRoot.DirectoryEntry) throws(CheckpointError)
    -> ArraySlice<UInt8>
  {
    do throws(CheckpointError) {
      let segment = try segment(at: entry.offset, bodyLength: entry.bodyLength, nil)
      guard segment.frame.rawKind == entry.rawKind, segment.frame.ordinal == entry.ordinal,
        SHA256Hasher.digest(of: segment.body.rawSpan) == entry.digest
      else {
        throw CheckpointError(
          .damaged, "the segment is not the one in the root's directory",
          structure: segment.frame.kind?.name, offset: entry.offset)
      }
      return segment.body
    } catch {
      throw error.inFile(name)
    }
  }

  /// The history of the image, oldest first.
  package func provenance() throws(CheckpointError) -> [Provenance] {
    var history: [Provenance] = []
    for (offset, body) in try segments(.provenance) {
      do throws(CheckpointError) {
        history.append(try Provenance(parsing: body.rawSpan, at: offset))
      } catch {
        throw error.inFile(name)
      }
    }
    return history
  }

  // MARK: Index blocks and regions

  /// The index block of a number, if the image has one.
  package func indexBlock(_ number: BlockNumber) throws(CheckpointError) -> IndexBlock? {
    guard let place = place(ofBlock: number) else { return nil }
    do throws(CheckpointError) {
      return try indexBlock(entry(at: place))
    } catch {
      throw error.inFile(name)
    }
  }

  /// Reads an index block.
  package func indexBlock(_ entry: RootBody.BlockEntry) throws(CheckpointError) -> IndexBlock {
    do throws(CheckpointError) {
      let segment = try segment(at: entry.offset, bodyLength: UInt64(entry.bodyLength), .index)
      guard segment.body.count == Int(entry.bodyLength),
        SHA256Hasher.digest(of: segment.body.rawSpan) == entry.digest
      else {
        throw CheckpointError(
          .damaged, "the block is not the one in the root", structure: "index block",
          offset: entry.offset)
      }
      let block = try IndexBlock(parsing: segment.body.rawSpan, at: segment.place.bodyOffset)
      guard block.number == entry.number else {
        throw CheckpointError(
          .damaged, "block: found \(block.number), expected \(entry.number)",
          structure: "index block", offset: entry.offset)
      }
      try checkStates(block, at: entry.offset)
      return block
    } catch {
      throw error.inFile(name)
    }
  }

  private func checkStates(_ block: IndexBlock, at offset: UInt64) throws(CheckpointError) {
    // In a base, a page that is not there has no entry.
    guard header.parent == nil else { return }
    for entry in block.entries where entry.status.state == .unpopulated {
      throw CheckpointError(
        .damaged, "an unpopulated page in a base", structure: "index block", offset: offset)
    }
  }

  /// A region as it is stored.
  package struct Region: Sendable {
    /// Where its segment lies.
    package let place: SegmentPlace
    /// Its pages, and how they are compressed.
    package let header: RegionHeader
    /// The body of its segment, for decoding.
    package let body: ArraySlice<UInt8>
  }

  /// Reads a region's segment.
  package func region(at location: PageLocation) throws(CheckpointError) -> Region {
    do throws(CheckpointError) {
      let segment = try Segment(
        in: storage, at: location.offset, length: UInt64(location.length),
        alignmentShift: header.alignmentShift, expecting: .region)
      guard segment.place.length == UInt64(location.length) else {
        throw CheckpointError(
          .damaged, "segment length: found \(segment.place.length), expected \(location.length)",
          structure: "region", offset: location.offset)
      }
      return Region(
        place: segment.place,
        header: try RegionHeader(parsing: segment.body.rawSpan, at: segment.place.bodyOffset),
        body: segment.body)
    } catch {
      throw error.inFile(name)
    }
  }
}
