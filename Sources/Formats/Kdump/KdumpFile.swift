package import CheckpointCodec
package import CheckpointImage
package import Storage

/// The checked tables of a kdump-compressed file: which pages it has, where they lie, and its notes.
package struct KdumpFile {
  /// Pages in the file, as runs.
  package private(set) var dumped: [Range<PFN>] = []
  /// Pages of the machine that were left out of the file, as runs.
  package private(set) var excluded: [Range<PFN>] = []
  /// Pages that the file was to have: their descriptors are zero, or name what is not in it. As runs.
  package private(set) var lost: [Range<PFN>] = []
  /// What is odd in it, as far as the tables show.
  package private(set) var remarks: [SourceRemark] = []
  private var notes = FoundNotes()

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
    try reader.skip(424 - reader.position)
    let status: UInt32 = try reader.read()
    try reader.expect("block size", try reader.read(UInt32.self), UInt32(Limits.pageSize))
    let subHeader: UInt32 = try reader.read()
    try reader.expect("blocks of the sub-header", subHeader, in: 1...UInt32(1 << 16))
    subHeaderBlocks = UInt64(subHeader)
    let bitmaps: UInt32 = try reader.read()
    try reader.expect("blocks of both bitmaps", bitmaps % 2, 0)
    bitmapBlocks = UInt64(bitmaps / 2)
    limit = UInt64(try reader.read(UInt32.self))
    try readSubHeader()
    try checkMachine(machine)
    try readPages()
    describe(isMarkedIncomplete: status & KdumpHeader.incomplete != 0)
  }

  /// Throws unless the dump is of an x86-64 machine.
  ///
  /// Makedumpfile before 1.6.9 copied the names of kernels from 5.11 on 4 bytes too far, and hypervisors leave them
  /// empty: then the notes decide.
  private func checkMachine(_ name: [UInt8]) throws(CheckpointError) {
    let text = name.prefix { $0 != 0 }
    if text.elementsEqual("x86_64".utf8) { return }
    guard text.isEmpty || text.elementsEqual("64".utf8) else {
      throw CheckpointError(
        .refused, "is of a machine other than x86-64: \(String(decoding: text, as: UTF8.self))",
        structure: Self.structure)
    }
    guard DumpNotes.areOfX86(notes.records) else {
      throw CheckpointError(
        .refused, "does not say of which machine it is, and no note in it is one of x86-64",
        structure: Self.structure)
    }
  }

  /// Makes remarks of what was found.
  private mutating func describe(isMarkedIncomplete: Bool) {
    remarks += notes.remarks
    let count = lost.reduce(0) { $0 + UInt64($1.count) }
    if count > 0 {
      remarks.append(
        SourceRemark(
          .incomplete,
          CheckpointError(
            .incomplete,
            "\(count) pages are missing, and unreadable in the image: the dump names them, but its file does not have them",
            structure: "kdump page descriptor")))
    } else if isMarkedIncomplete {
      remarks.append(
        SourceRemark(
          .note,
          CheckpointError(
            .incomplete, "is marked as incomplete, but has all pages that it names",
            structure: Self.structure)))
    }
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
    let stored = try area(&reader, "notes", since: 4)
    try notes.add(stored.bytes, at: stored.offset)
    notes.add(vmcoreinfo: text)
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
    // The library that expands the pages would read beyond the end of the file.
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
      var named: [Range<PFN>] = []
      for place in 0..<count where populated[place] | dumped[place] != 0 {
        for bit in 0..<8 {
          let pfn = (done + UInt64(place)) * 8 + UInt64(bit)
          guard pfn < limit else { break }
          if dumped[place] >> bit & 1 != 0 {
            named.join(pfn..<pfn + 1)
          } else if populated[place] >> bit & 1 != 0 {
            excluded.join(pfn..<pfn + 1)
          }
        }
      }
      descriptors = try readDescriptors(of: named, at: descriptors)
      guard self.dumped.count + excluded.count + lost.count <= Self.mostRuns else {
        throw CheckpointError(
          .refused, "its pages lie in more than \(Self.mostRuns) pieces", structure: "kdump bitmap",
          offset: first + done)
      }
      done += UInt64(count)
    }
  }

  /// Finds which pages have contents in the file, since the library that reads them may not check. Returns the end of
  /// their descriptors.
  private mutating func readDescriptors(of named: [Range<PFN>], at start: UInt64)
    throws(CheckpointError) -> UInt64
  {
    let count = named.reduce(0) { $0 + $1.count }
    let end = start + UInt64(count * KdumpHeader.descriptorSize)
    // Of a file that breaks off, even descriptors may be missing.
    let there = Int(min(end, file.length) - min(start, file.length))
    let bytes = try file.bytes(
      at: min(start, file.length),
      count: there / KdumpHeader.descriptorSize * KdumpHeader.descriptorSize)
    var reader = WireReader(
      bytes.rawSpan, structure: "kdump page descriptor", at: start)
    for run in named {
      for pfn in run {
        if reader.remaining > 0, try isThere(&reader) {
          dumped.join(pfn..<pfn + 1)
        } else {
          lost.join(pfn..<pfn + 1)
        }
      }
    }
    return end
  }

  /// Whether the contents that the next descriptor names lie in the file.
  private func isThere(_ reader: inout WireReader) throws(CheckpointError) -> Bool {
    let offset: UInt64 = try reader.read()
    let size: UInt32 = try reader.read()
    let flags: UInt32 = try reader.read()
    try reader.skip(8)
    // A descriptor that was never written, or contents that were not.
    guard (1...UInt32(Limits.pageSize)).contains(size), offset <= file.length,
      UInt64(size) <= file.length - offset
    else { return false }
    // zlib, LZO, snappy, zstd, or none.
    guard flags & ~0x27 == 0, flags & (flags &- 1) == 0 else {
      var error = reader.damaged("compression: found flags \(Hexadecimal.string(UInt64(flags)))")
      error.kind = .unsupported
      throw error
    }
    return flags != 0 || size == Limits.pageSize
  }

  /// A source that takes the contents of pages from `memory`.
  package func source(_ input: InputStream, _ memory: any PhysicalMemory) -> DumpSource {
    var runs =
      dumped.map { DumpSource.Run(pages: $0, contents: .memory(memory)) }
      + excluded.map {
        DumpSource.Run(
          pages: $0, contents: .missing(PageStatus(.evicted, reason: .listed)))
      }
      + lost.map { DumpSource.Run(pages: $0, contents: .missing(PageStatus(.unreadable))) }
    runs.sort { $0.pages.lowerBound < $1.pages.lowerBound }
    var rest = runs[...]
    var facts = SourceFacts(
      kind: "kdump-compressed dump", architecture: .x86, ascendingUnique: false)
    facts.remarks = remarks.map { SourceRemark($0.weight, $0.what.inFile(input.name)) }
    return DumpSource(
      input, facts, notes.records, memory: memory, pages: dumped.reduce(0) { $0 + UInt64($1.count) }
    ) { rest.popFirst() }
  }
}
