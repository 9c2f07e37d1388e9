package import CheckpointCodec
package import CheckpointImage
package import Storage

/// The checked tables of a kdump-compressed file: which pages it has, where they lie, and its notes.
package struct KdumpFile {
  /// Pages in the file, as runs.
  package private(set) var dumped: [Range<PFN>] = []
  /// Pages of the machine that were left out of the file, as runs.
  package private(set) var excluded: [Range<PFN>] = []
  /// A record for each note.
  package private(set) var records: [MachineRecord] = []

  /// One past the last page of the machine.
  package private(set) var limit: PFN

  private static let structure = "kdump header"
  private static let longestNotes = 64 << 20
  /// 16 TiB of memory.
  private static let longest: PFN = 1 << 32

  /// A limit for bitmaps that are larger than any memory and name every other page.
  private static let mostRuns = 1 << 24

  private let file: LocalFile
  private let version: UInt32
  private let subHeaderBlocks: UInt64
  private let bitmapBlocks: UInt64

  /// Reads and checks everything except the contents of pages.
  package init(_ file: LocalFile) throws(CheckpointError) {
    self.file = file
    let header = try file.bytes(at: 0, count: 464)
    var reader = WireReader(header.rawSpan, structure: Self.structure, at: 0)
    try reader.expect("signature", try reader.readBytes(8), KdumpHeader.signature)
    version = try reader.read()
    try reader.expect("version", version, in: 1...KdumpHeader.version)
    try reader.skip(4 * 65)
    let machine = try reader.readBytes(65)
    guard machine.starts(with: Array("x86_64".utf8) + [0]) else {
      throw CheckpointError(
        .refused, "is of a machine other than x86-64", structure: Self.structure)
    }
    try reader.skip(428 - reader.position)
    try reader.expect("block size", try reader.read(UInt32.self), UInt32(Limits.pageSize))
    let subHeader: UInt32 = try reader.read()
    try reader.expect("blocks of the sub-header", subHeader, in: 1...UInt32(1 << 16))
    subHeaderBlocks = UInt64(subHeader)
    let bitmaps: UInt32 = try reader.read()
    try reader.expect("blocks of both bitmaps", bitmaps % 2, 0)
    bitmapBlocks = UInt64(bitmaps / 2)
    limit = UInt64(try reader.read(UInt32.self))
    try readSubHeader()
    try readPages()
  }

  private mutating func readSubHeader() throws(CheckpointError) {
    let size = KdumpHeader.subHeaderSize
    let bytes = try file.bytes(at: UInt64(Limits.pageSize), count: size)
    var reader = WireReader(
      bytes.rawSpan, structure: "kdump sub-header", at: UInt64(Limits.pageSize))
    try reader.skip(12)
    guard try reader.read(UInt32.self) == 0 else {
      throw CheckpointError(
        .refused, "is one part of a split dump", structure: "kdump sub-header",
        hint: .convert(command: "makedumpfile --reassemble PART... FILE"))
    }
    try reader.skip(16)
    let text = try area(&reader, "VMCOREINFO", since: 3).bytes
    let notes = try area(&reader, "notes", since: 4)
    records = try DumpNote.all(in: notes.bytes, at: notes.offset).map(DumpNote.record)
    if !text.isEmpty, try DumpNotes.vmcoreinfo(in: records) == nil {
      records.append(
        DumpNote.record(DumpNote(DumpNote.vmcoreinfo, type: 0, text).encoded()))
    }
    if version >= 6 {
      try reader.skip(96 - reader.position)
      let short = limit
      limit = try reader.read()
      // Some libraries size a bitmap by one field and its pages by the other, so both must agree.
      try reader.expect("pages", short, UInt64(UInt32(clamping: limit)))
    }
    guard limit <= Self.longest, (limit + 7) / 8 <= bitmapBlocks * UInt64(Limits.pageSize) else {
      throw reader.damaged(
        "pages: found \(limit), expected at most \(min(Self.longest, bitmapBlocks * 32768))")
    }
  }

  /// The bytes at the offset and length that come next in the sub-header; empty before version `since`.
  private func area(_ reader: inout WireReader, _ name: String, since: UInt32)
    throws(CheckpointError) -> (offset: UInt64, bytes: [UInt8])
  {
    let offset: UInt64 = try reader.read()
    let length: UInt64 = try reader.read()
    guard version >= since, length > 0 else { return (offset, []) }
    guard length <= Self.longestNotes else {
      throw reader.damaged("\(name): found \(length) bytes, expected at most \(Self.longestNotes)")
    }
    return (offset, try file.bytes(at: offset, count: Int(length)))
  }

  private mutating func readPages() throws(CheckpointError) {
    let first = (1 + subHeaderBlocks) * UInt64(Limits.pageSize)
    let size = bitmapBlocks * UInt64(Limits.pageSize)
    var descriptors = first + 2 * size
    let bytes = (limit + 7) / 8
    var done: UInt64 = 0
    while done < bytes {
      let count = Int(min(1 << 16, bytes - done))
      let populated = try file.bytes(at: first + done, count: count)
      let dumped = try file.bytes(at: first + size + done, count: count)
      var pages = 0
      for place in 0..<count where populated[place] | dumped[place] != 0 {
        for bit in 0..<8 {
          let pfn = (done + UInt64(place)) * 8 + UInt64(bit)
          guard pfn < limit else { break }
          if dumped[place] >> bit & 1 != 0 {
            self.dumped.join(pfn..<pfn + 1)
            pages += 1
          } else if populated[place] >> bit & 1 != 0 {
            excluded.join(pfn..<pfn + 1)
          }
        }
      }
      guard self.dumped.count + excluded.count <= Self.mostRuns else {
        throw CheckpointError(
          .refused, "its pages lie in more than \(Self.mostRuns) pieces", structure: "kdump bitmap",
          offset: first + done)
      }
      try checkDescriptors(pages, at: descriptors)
      descriptors += UInt64(pages * KdumpHeader.descriptorSize)
      done += UInt64(count)
    }
  }

  /// Throws unless the contents that the descriptors name lie in the file, since the library that reads them
  /// may not check.
  private func checkDescriptors(_ count: Int, at start: UInt64) throws(CheckpointError) {
    let bytes = try file.bytes(at: start, count: count * KdumpHeader.descriptorSize)
    var reader = WireReader(
      bytes.rawSpan, structure: "kdump page descriptor", at: start)
    while reader.remaining > 0 {
      let offset: UInt64 = try reader.read()
      let size: UInt32 = try reader.read()
      let flags: UInt32 = try reader.read()
      try reader.skip(8)
      try reader.expect("bytes", size, in: 1...UInt32(Limits.pageSize))
      guard offset <= file.length, UInt64(size) <= file.length - offset else {
        throw CheckpointError(
          .incomplete, "the file ends at \(file.length), expected \(size) bytes at \(offset)",
          structure: "kdump page descriptor", offset: start + UInt64(reader.position))
      }
      // zlib, LZO, snappy, zstd, or none.
      guard flags & ~0x27 == 0, flags & (flags &- 1) == 0, flags != 0 || size == Limits.pageSize
      else {
        throw reader.damaged("flags \(flags) of \(size) bytes")
      }
    }
  }

  /// A source that takes the contents of pages from `memory`.
  package func source(_ input: InputStream, _ memory: any PhysicalMemory) -> DumpSource {
    var runs =
      dumped.map { DumpSource.Run(pages: $0, contents: .memory(memory)) }
      + excluded.map {
        DumpSource.Run(
          pages: $0, contents: .missing(PageStatus(.evicted, reason: .listed)))
      }
    runs.sort { $0.pages.lowerBound < $1.pages.lowerBound }
    var rest = runs[...]
    let facts = SourceFacts(
      kind: "kdump-compressed dump", architecture: .x86, ascendingUnique: false)
    return DumpSource(
      input, facts, records, memory: memory, pages: dumped.reduce(0) { $0 + UInt64($1.count) }
    ) { rest.popFirst() }
  }
}
