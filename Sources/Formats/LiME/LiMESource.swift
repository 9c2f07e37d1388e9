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

  /// From a file: reads all headers first. Where it breaks off, or what follows is no range, the ranges before count.
  private static func source(_ input: InputStream, _ file: LocalFile) throws(CheckpointError)
    -> DumpSource
  {
    var extents: [MemoryExtent] = []
    var missing: Range<PFN>?
    var facts = facts
    var offset: UInt64 = 0
    do throws(CheckpointError) {
      while offset < file.length {
        guard extents.count < maximumRanges else {
          throw CheckpointError(
            .refused, "more than \(maximumRanges) ranges", structure: structure, offset: offset)
        }
        let header = try file.bytes(
          at: offset, count: Int(min(UInt64(LiMEHeader.size), file.length - offset)))
        if !extents.isEmpty, header.allSatisfy({ $0 == 0 }) {
          facts.remarks.append(Self.remark(on: file.length - offset, at: offset, input))
          break
        }
        var extent = try extent(header, at: offset, behind: extents.last?.end ?? 0)
        offset = extent.offset + extent.length
        if offset > file.length {
          let end = max(extent.end - (offset - file.length), extent.address)
          missing =
            end >> UInt64(Limits.pageShift)..<(extent.end - 1) >> UInt64(Limits.pageShift) + 1
          extent.length = end - extent.address
          if extent.length > 0 { extents.append(extent) }
          throw CheckpointError(
            .incomplete,
            "the file ends at \(file.length), expected the range to end at \(offset): what is missing of it is "
              + "unreadable in the image", structure: structure, offset: extent.offset)
        }
        extents.append(extent)
      }
    } catch {
      guard !extents.isEmpty, error.kind == .incomplete || error.kind == .damaged else {
        throw error
      }
      facts.remarks.append(SourceRemark(.incomplete, error.inFile(input.name)))
    }
    // A page that is not whole is not to be trusted, even if the range before has a part of it.
    if let missing { extents = MemoryExtent.gaps(of: extents, in: [MemoryExtent(missing)]) }
    let memory = ExtentMemory(file, extents)
    var runs = memory.runs.map { DumpSource.Run(pages: $0, contents: .memory(memory)) }
    if let missing {
      runs.append(DumpSource.Run(pages: missing, contents: .missing(PageStatus(.unreadable))))
    }
    var rest = runs[...]
    return DumpSource(
      input, facts, [], memory: memory, pages: memory.runs.reduce(0) { $0 + UInt64($1.count) }
    ) { rest.popFirst() }
  }

  private static func remark(on count: UInt64, at offset: UInt64, _ input: InputStream)
    -> SourceRemark
  {
    SourceRemark(
      .note,
      CheckpointError(
        .damaged, "\(count) bytes behind the last range are not looked at", offset: offset,
        file: input.name))
  }

  /// From a pipe: reads each header as it comes.
  private static func stream(_ input: InputStream) -> DumpSource {
    var end: UInt64 = 0
    var isPadded = false
    let bytes = ForwardBytes(input, "LiME range")
    let passesOver = { isPadded ? "the last range" : nil }
    return DumpSource(
      input, facts, [], memory: nil, bytes: bytes, passesOverBehind: passesOver, pages: nil
    ) { () throws(CheckpointError) -> DumpSource.Run? in
      guard bytes.cut == nil, try !input.isAtEnd() else { return nil }
      let place = input.position
      if end > 0, try input.peek(LiMEHeader.size).allSatisfy({ $0 == 0 }) {
        isPadded = true
        return nil
      }
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
        let memory = ExtentMemory(bytes, [extent])
        return memory.runs.first.map { DumpSource.Run(pages: $0, contents: .memory(memory)) }
      } catch {
        var error = error.inFile(input.name)
        // The ranges before can be trusted all the same.
        if error.kind == .damaged, end > 0, input.failure == nil { error.kind = .incomplete }
        throw error
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
