package import CheckpointImage
package import Storage
/// A complete image opened for reading: header, trailer and root are read and checked, the rest on demand.
package final class ImageFile: Sendable {
  /// The file.
  package let file: InputFile
  /// The header.
  package let header: ImageHeader
  /// The trailer.
  package let trailer: ImageTrailer
  /// The root of the index.
  package let root: ImageRoot
  /// The numbers of its index blocks, ascending. A chain may have hundreds of images with a block for every
  /// 2 MiB of the guest: what else the root says of a block is read again when it is needed.
  package let blockNumbers: [UInt64]

  /// The name used in messages.
  package var name: String { file.name }

  /// Opens an image; `-` is standard input.
  package convenience init(_ path: String) throws(CheckpointError) {
    try self.init(InputFile(path))
  }

  /// Opens an image in a file already open.
  package init(_ file: InputFile) throws(CheckpointError) {
    self.file = file
    do throws(CheckpointError) {
      header = try Self.readHeader(file)
      trailer = try Self.readTrailer(file)
      let body: RootBody
      do throws(CheckpointError) {
        body = try Self.readRoot(file, header, trailer)
      } catch {
        // The file has its end: what is said to lie behind that is a wrong number, not a cut.
        var error = error
        if error.kind == .incomplete { error.kind = .damaged }
        throw error
      }
      root = body.root
      blockNumbers = body.blocks.map(\.number)
    } catch {
      throw error.inFile(file.name)
    }
  }

  /// An image of which only the header counts, whatever else is lost: enough to find its parents.
  package init(headerOf file: InputFile) throws(CheckpointError) {
    self.file = file
    do throws(CheckpointError) {
      header = try Self.readHeader(file)
    } catch {
      throw error.inFile(file.name)
    }
    root = ImageRoot(
      memory: .zero, state: .zero, checkpointID: .zero, counts: [UInt64](repeating: 0, count: 8),
      deadCopies: 0, layout: .none, directory: [])
    blockNumbers = []
    trailer = ImageTrailer(
      rootOffset: 0, rootLength: 0, segmentCount: 0, fileLength: file.length, checkpointID: .zero,
      fileID: .zero)
  }

  /// Reads only the trailer of a file that may be an image; nil if it is none.
  package static func trailer(of path: String) -> ImageTrailer? {
    guard let file = try? InputFile(path), file.length > UInt64(ImageTrailer.segmentSize),
      let start = try? file.bytes(at: 0, count: 8), SegmentFrame.beginsImage(start)
    else { return nil }
    return try? readTrailer(file)
  }

  package static func readHeader(_ file: InputFile) throws(CheckpointError) -> ImageHeader {
    guard file.length >= 8, SegmentFrame.beginsImage(try file.bytes(at: 0, count: 8)) else {
      throw CheckpointError(
        .damaged, "not a checkpoint image: it does not begin with VMCK", structure: "header",
        offset: 0)
    }
    let (frame, body) = try readSegment(file, at: 0, alignmentShift: nil, expecting: .header)
    guard frame.ordinal == 0 else {
      throw CheckpointError(
        .damaged, "ordinal: found \(frame.ordinal), expected 0", structure: "header", offset: 0)
    }
    let header = unsafe try ImageHeader(
      parsing: body.span.bytes, at: UInt64(SegmentFrame.byteCount))
    // The padding, and with it the checksum, depend on the alignment, which only the body tells.
    _ = try readSegment(
      file, at: 0, alignmentShift: header.alignmentShift, expecting: .header)
    return header
  }

  static func readTrailer(_ file: InputFile) throws(CheckpointError) -> ImageTrailer {
    let size = UInt64(ImageTrailer.segmentSize)
    let incomplete = CheckpointError(
      .incomplete, "no trailer at the end: the image was not finished, was cut, or more follows it",
      structure: "trailer",
      offset: file.length)
    guard file.length > size else { throw incomplete }
    let offset = file.length - size
    let start = try file.bytes(at: offset, count: SegmentFrame.byteCount)
    guard let frame = unsafe try? SegmentFrame(parsing: start.span.bytes, at: offset),
      frame.kind == .trailer
    else { throw incomplete }
    let (_, body) = try readSegment(file, at: offset, alignmentShift: 3, expecting: .trailer)
    let trailer = unsafe try ImageTrailer(
      parsing: body.span.bytes, at: offset + UInt64(SegmentFrame.byteCount))
    func expect(_ field: String, _ found: UInt64, _ expected: UInt64) throws(CheckpointError) {
      guard found == expected else {
        throw CheckpointError(
          .damaged, "\(field): found \(found), expected \(expected)", structure: "trailer",
          offset: offset)
      }
    }
    try expect("file length", trailer.fileLength, file.length)
    try expect("segments", trailer.segmentCount, frame.ordinal &+ 1)
    return trailer
  }

  private static func readRoot(
    _ file: InputFile, _ header: ImageHeader, _ trailer: ImageTrailer
  ) throws(CheckpointError) -> RootBody {
    let offset = trailer.rootOffset
    let (frame, body) = try readSegment(
      file, at: offset, alignmentShift: header.alignmentShift, expecting: .root)
    func expect<T: Equatable>(_ field: String, _ found: T, _ expected: T) throws(CheckpointError) {
      guard found == expected else {
        throw CheckpointError(
          .damaged, "\(field): found \(found), expected \(expected)", structure: "root",
          offset: offset)
      }
    }
    try expect("length", frame.bodyLength, trailer.rootLength)
    try expect("ordinal", frame.ordinal, trailer.segmentCount &- 2)
    try expect("file ID", Identity.file(rootBody: body), trailer.fileID)
    let rootBody = unsafe try RootBody(
      parsing: body.span.bytes, at: offset + UInt64(SegmentFrame.byteCount))
    let root = rootBody.root
    try expect("checkpoint ID", root.checkpointID, trailer.checkpointID)
    try expect(
      "checkpoint ID", root.checkpointID,
      Identity.checkpoint(captureID: header.captureID, memory: root.memory, state: root.state))
    for place in root.directory.map(\.offset) + rootBody.blocks.map(\.offset) where place >= offset
    {
      throw CheckpointError(
        .damaged, "a segment at \(place): expected in front of the root", structure: "root",
        offset: offset)
    }
    for entry in root.directory
    where SegmentKind(rawValue: entry.rawKind) == nil && entry.flags & SegmentFrame.critical != 0 {
      throw CheckpointError(
        .unsupported, "segment of unknown kind \(entry.rawKind), which must be understood",
        structure: "segment frame", offset: entry.offset)
    }
    let hasLayout = root.directory.contains { $0.rawKind == SegmentKind.layout.rawValue }
    try expect("layout", root.layout != .none, hasLayout)
    let headerBody = try file.bytes(
      at: UInt64(SegmentFrame.byteCount), count: Int(root.directory[0].bodyLength))
    try expect("first directory entry", root.directory[0].offset, 0)
    try expect("header digest", SHA256Hasher.digest(of: headerBody), root.directory[0].digest)
    return rootBody
  }

  /// Reads and checks a segment's frame and body.
  ///
  /// - Parameter alignmentShift: nil if it is not yet known; padding and checksum are then left unchecked.
  package static func readSegment(
    _ file: InputFile, at offset: UInt64, alignmentShift: UInt8?, expecting kind: SegmentKind?
  ) throws(CheckpointError) -> (frame: SegmentFrame, body: [UInt8]) {
    let start = try file.bytes(at: offset, count: SegmentFrame.byteCount)
    let frame = unsafe try SegmentFrame(parsing: start.span.bytes, at: offset)
    if let kind, frame.kind != kind {
      throw CheckpointError(
        .damaged, "kind: found \(frame.kind?.name ?? "\(frame.rawKind)"), expected \(kind.name)",
        structure: "segment frame", offset: offset)
    }
    let bodyOffset = offset + UInt64(SegmentFrame.byteCount)
    guard let alignmentShift else {
      return (frame, try file.bytes(at: bodyOffset, count: Int(frame.bodyLength)))
    }
    let padding = SegmentFrame.padding(
      bodyLength: frame.bodyLength, alignmentShift: alignmentShift, rawKind: frame.rawKind)
    var body = try file.bytes(at: bodyOffset, count: Int(frame.bodyLength) + padding)
    let checksum = unsafe Checksum.of(body.span.bytes)
    guard checksum == frame.bodyChecksum else {
      throw CheckpointError(
        .damaged,
        "checksum: found \(Hexadecimal.string(UInt64(checksum))), expected "
          + Hexadecimal.string(UInt64(frame.bodyChecksum)),
        structure: frame.kind?.name ?? "segment \(frame.rawKind)", offset: bodyOffset)
    }
    for byte in body.suffix(padding) where byte != 0 {
      throw CheckpointError(
        .damaged, "padding is not zero", structure: frame.kind?.name, offset: bodyOffset)
    }
    body.removeLast(padding)
    return (frame, body)
  }

  /// Reads and checks the segment at `offset`.
  package func segment(at offset: UInt64, expecting kind: SegmentKind? = nil)
    throws(CheckpointError) -> (frame: SegmentFrame, body: [UInt8])
  {
    do throws(CheckpointError) {
      return try Self.readSegment(
        file, at: offset, alignmentShift: header.alignmentShift, expecting: kind)
    } catch {
      throw error.inFile(name)
    }
  }

  /// The bodies of the directory's segments of one kind, in file order.
  package func segments(_ kind: SegmentKind) throws(CheckpointError)
    -> [(offset: UInt64, body: [UInt8])]
  {
    var found: [(offset: UInt64, body: [UInt8])] = []
    for entry in root.directory where entry.rawKind == kind.rawValue {
      found.append((entry.offset + UInt64(SegmentFrame.byteCount), try body(of: entry)))
    }
    return found
  }

  /// The history of the image, oldest first.
  package func provenance() throws(CheckpointError) -> [Provenance] {
    var history: [Provenance] = []
    for (offset, body) in try segments(.provenance) {
      do throws(CheckpointError) {
        unsafe history.append(try Provenance(parsing: body.span.bytes, at: offset))
      } catch {
        throw error.inFile(name)
      }
    }
    return history
  }

  /// The body of a directory's segment, which must be the one that the file ID vouches for.
  package func body(of entry: ImageRoot.DirectoryEntry) throws(CheckpointError) -> [UInt8] {
    let (frame, body) = try segment(at: entry.offset)
    guard frame.rawKind == entry.rawKind, frame.ordinal == entry.ordinal,
      SHA256Hasher.digest(of: body) == entry.digest
    else {
      throw CheckpointError(
        .damaged, "the segment is not the one in the root's directory",
        structure: frame.kind?.name, offset: entry.offset, file: name)
    }
    return body
  }

  /// The root's table of index blocks, ascending. The root is read and checked again, as a whole.
  package func blocks() throws(CheckpointError) -> [RootBody.BlockEntry] {
    do throws(CheckpointError) {
      return try Self.readRoot(file, header, trailer).blocks
    } catch {
      throw error.inFile(name)
    }
  }

  /// Whether the image has an index block of this number.
  package func hasBlock(_ number: UInt64) -> Bool { place(ofBlock: number) != nil }

  /// The index block of a number, if the image has one.
  package func indexBlock(_ number: UInt64) throws(CheckpointError) -> IndexBlock? {
    guard let place = place(ofBlock: number) else { return nil }
    let range = RootBody.range(ofBlock: place, behind: root)
    let offset = trailer.rootOffset + UInt64(SegmentFrame.byteCount + range.lowerBound)
    let bytes = try file.bytes(at: offset, count: range.count)
    do throws(CheckpointError) {
      let entry = unsafe try RootBody.BlockEntry(parsing: bytes.span.bytes, at: offset)
      guard entry.number == number else {
        throw CheckpointError(
          .damaged, "block: found \(entry.number), \(number) when the image was opened",
          structure: "root", offset: offset)
      }
      return try indexBlock(entry)
    } catch {
      throw error.inFile(name)
    }
  }

  /// The place of a block in the root's table.
  private func place(ofBlock number: UInt64) -> Int? {
    var low = 0
    var high = blockNumbers.count
    while low < high {
      let middle = (low + high) / 2
      if blockNumbers[middle] < number { low = middle + 1 } else { high = middle }
    }
    return low < blockNumbers.count && blockNumbers[low] == number ? low : nil
  }

  /// Reads an index block.
  package func indexBlock(_ entry: RootBody.BlockEntry) throws(CheckpointError) -> IndexBlock {
    let (_, body) = try segment(at: entry.offset, expecting: .index)
    do throws(CheckpointError) {
      guard body.count == Int(entry.bodyLength), SHA256Hasher.digest(of: body) == entry.digest
      else {
        throw CheckpointError(
          .damaged, "the block is not the one in the root", structure: "index block",
          offset: entry.offset)
      }
      let block = unsafe try IndexBlock(
        parsing: body.span.bytes, at: entry.offset + UInt64(SegmentFrame.byteCount))
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

  /// Reads a region's segment: its header, and its body for decoding.
  package func region(at location: PageLocation) throws(CheckpointError) -> (
    header: RegionHeader, body: [UInt8]
  ) {
    let (frame, body) = try segment(at: location.offset, expecting: .region)
    do throws(CheckpointError) {
      let padding = SegmentFrame.padding(
        bodyLength: frame.bodyLength, alignmentShift: header.alignmentShift,
        rawKind: frame.rawKind)
      let length = SegmentFrame.byteCount + body.count + padding
      guard length == Int(location.length) else {
        throw CheckpointError(
          .damaged, "segment length: found \(length), expected \(location.length)",
          structure: "region", offset: location.offset)
      }
      let offset = location.offset + UInt64(SegmentFrame.byteCount)
      return unsafe (try RegionHeader(parsing: body.span.bytes, at: offset), body)
    } catch {
      throw error.inFile(name)
    }
  }
}
