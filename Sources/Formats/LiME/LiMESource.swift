internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Opens a memory image of LiME, version 1: ascending ranges of memory, each after its header.
enum LiMESource {
  private static let structure = "LiME header"
  private static let maximumRanges = 1 << 20

  static func open(_ input: InputStream) throws(CheckpointError) -> DumpSource {
    do throws(CheckpointError) {
      if let file = try input.file() { return try source(input, file) }
      return stream(input)
    } catch {
      throw error.inFile(input.name)
    }
  }

  private static let facts = SourceFacts(
    kind: "LiME memory image", architecture: .x86, ascendingUnique: false)

  /// From a file: reads all headers first.
  private static func source(_ input: InputStream, _ file: LocalFile) throws(CheckpointError)
    -> DumpSource
  {
    var extents: [MemoryExtent] = []
    var offset: UInt64 = 0
    while offset < file.length {
      let extent = try extent(
        file.bytes(at: offset, count: LiMEHeader.size), at: offset, behind: extents.last?.end ?? 0)
      offset = extent.offset + extent.length
      guard offset <= file.length else {
        throw CheckpointError(
          .incomplete, "the file ends at \(file.length), expected the range to end at \(offset)",
          structure: structure, offset: extent.offset)
      }
      guard extents.count < maximumRanges else {
        throw CheckpointError(
          .refused, "more than \(maximumRanges) ranges", structure: structure, offset: offset)
      }
      extents.append(extent)
    }
    let memory = ExtentMemory(file, extents)
    var runs = memory.runs[...]
    return DumpSource(
      input, facts, [], memory: memory, pages: runs.reduce(0) { $0 + UInt64($1.count) }
    ) { runs.popFirst().map { DumpSource.Run(pages: $0, contents: .memory(memory)) } }
  }

  /// From a pipe: reads each header as it comes.
  private static func stream(_ input: InputStream) -> DumpSource {
    var end: UInt64 = 0
    return DumpSource(input, facts, [], memory: nil, pages: nil) {
      () throws(CheckpointError) -> DumpSource.Run? in
      guard try !input.isAtEnd() else { return nil }
      let place = input.position
      do throws(CheckpointError) {
        let extent = try extent(
          input.read(LiMEHeader.size, structure), at: place, behind: end)
        guard
          end == 0
            || extent.address >> UInt64(Limits.pageShift) > (end - 1) >> UInt64(Limits.pageShift)
        else {
          throw CheckpointError(
            .refused, "begins in the page in which the one before it ends: capture it from a file",
            structure: structure, offset: place)
        }
        end = extent.end
        let memory = ExtentMemory(ForwardBytes(input, "LiME range"), [extent])
        return memory.runs.first.map { DumpSource.Run(pages: $0, contents: .memory(memory)) }
      } catch {
        throw error.inFile(input.name)
      }
    }
  }

  private static func extent(_ header: [UInt8], at offset: UInt64, behind end: UInt64)
    throws(CheckpointError) -> MemoryExtent
  {
    var reader = WireReader(header.rawSpan, structure: structure, at: offset)
    try reader.expect("magic", try reader.readBytes(4), LiMEHeader.magic)
    try reader.expect("version", try reader.read(UInt32.self), LiMEHeader.version)
    let first: UInt64 = try reader.read()
    let last: UInt64 = try reader.read()
    guard first >= end, last >= first, last < DumpPages.end << UInt64(Limits.pageShift) else {
      throw reader.damaged(
        "addresses: found \(first) to \(last), expected them to ascend from \(end)")
    }
    return MemoryExtent(
      address: first, offset: offset + UInt64(LiMEHeader.size), length: last - first + 1)
  }
}
