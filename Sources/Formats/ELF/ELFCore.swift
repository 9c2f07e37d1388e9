internal import CheckpointCodec
internal import CheckpointImage

/// The checked contents of the headers of an ELF core file: where its notes and its memory lie.
struct ELFCore {
  /// A LOAD segment.
  private struct Segment {
    var place: UInt64
    /// Whether it shows where Linux maps its own image: a second view of memory that others may show as well.
    var isKernelImage: Bool
    var extent: MemoryExtent
    /// The end of its addresses; the last bytes may be missing in the file.
    var end: UInt64
  }

  /// A NOTE segment, as far as it is in the file.
  struct Notes {
    var offset: UInt64
    var length: Int
    /// What the headers say of its alignment.
    var alignment: UInt64
  }

  /// The NOTE segments.
  private(set) var notes: [Notes] = []
  /// The memory in the file, ascending by address.
  private(set) var extents: [MemoryExtent] = []
  /// Pages that the headers describe but of which the file has no byte, ascending.
  private(set) var missing: [Range<PFN>] = []
  /// What is odd in the headers.
  private(set) var remarks: [SourceRemark] = []

  private static let structure = "ELF header"
  private static let maximumSegments = 1 << 20
  private static let maximumNotes = 64 << 20
  /// Where Linux maps its own image.
  private static let kernelImage: UInt64 = 0xffff_ffff_8000_0000

  /// Reads and checks the headers.
  ///
  /// - Parameters:
  ///   - length: the length of the file; nil if unknown.
  ///   - read: returns bytes at an offset.
  init(
    length: UInt64?, _ read: (UInt64, Int) throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) {
    let table = try Self.table(try read(0, ELFHead.headerSize), read)
    let bytes = try read(table.offset, table.count * ELFHead.programHeaderSize)
    var reader = WireReader(
      bytes.rawSpan, structure: "ELF program header", at: table.offset)
    var segments: [Segment] = []
    var noteBytes: UInt64 = 0
    var missingBytes: UInt64 = 0
    var lastEnd: UInt64 = 0
    var withoutAddress = 0
    /// Pages of which the file should have had more.
    var cut: [Range<PFN>] = []
    var hasAddresses = false
    for _ in 0..<table.count {
      let place = table.offset + UInt64(reader.position)
      let type: UInt32 = try reader.read()
      try reader.skip(4)
      let offset: UInt64 = try reader.read()
      let virtual: UInt64 = try reader.read()
      let address: UInt64 = try reader.read()
      let stored: UInt64 = try reader.read()
      let size: UInt64 = try reader.read()
      let alignment: UInt64 = try reader.read()
      guard type == ELFHead.load || type == ELFHead.note else { continue }
      if type == ELFHead.load, address == .max {
        withoutAddress += 1
        continue
      }
      let end = try Self.end(offset, stored, "file size", at: place)
      let there = length.map { min(stored, $0 - min($0, offset)) } ?? stored
      // Enough to say how many.
      if missingBytes < 1 << 62 { missingBytes += stored - there }
      lastEnd = max(lastEnd, end)
      if type == ELFHead.note {
        // The limit is for all of them together, since many segments may share the same bytes of the file.
        noteBytes += there
        guard noteBytes <= Self.maximumNotes else {
          throw CheckpointError(
            .damaged, "notes: found \(noteBytes) bytes, expected at most \(Self.maximumNotes)",
            structure: "ELF program header", offset: place)
        }
        // Of a file that breaks off, all of them may be missing.
        guard there > 0 else { continue }
        notes.append(Notes(offset: offset, length: Int(there), alignment: alignment))
      } else if size > 0 {
        guard stored <= size else {
          throw CheckpointError(
            .damaged,
            "bytes in the file: found \(stored), expected at most \(size), those in memory",
            structure: "ELF program header", offset: place)
        }
        let segmentEnd = try Self.end(address, size, "address", at: place)
        segments.append(
          Segment(
            place: place,
            isKernelImage: virtual >= Self.kernelImage,
            extent: MemoryExtent(
              address: address, offset: offset,
              length: there),
            end: segmentEnd))
        if there < stored { cut.append(Self.pages(address + there..<address + stored)) }
        hasAddresses = hasAddresses || address > 0
      }
    }
    guard hasAddresses || segments.count < 2 else {
      throw CheckpointError(
        .refused,
        "its segments have no physical addresses: it is the core of a process, or a copy of an old kernel's /proc/kcore",
        structure: Self.structure, offset: 0)
    }
    guard !segments.isEmpty else {
      throw CheckpointError(
        .refused, "no segment is memory", structure: Self.structure, offset: 0)
    }
    if withoutAddress > 0 {
      remarks.append(
        SourceRemark(
          .note,
          CheckpointError(
            .unsupported, "\(withoutAddress) segments have no physical address and are passed over",
            structure: "ELF program header")))
    }
    if missingBytes > 0, let length {
      remarks.append(
        SourceRemark(
          .incomplete,
          CheckpointError(
            .incomplete,
            "the file ends at \(length), expected \(lastEnd): \(missingBytes) bytes of its segments are missing, "
              + "and their pages unreadable in the image", structure: Self.structure)))
    }
    try take(segments, length ?? .max, cut)
  }

  /// The pages that some addresses touch.
  private static func pages(_ addresses: Range<UInt64>) -> Range<PFN> {
    let shift = UInt64(Limits.pageShift)
    return addresses.lowerBound >> shift..<(addresses.upperBound + UInt64(Limits.pageSize) - 1)
      >> shift
  }

  /// Whether file offsets ascend with addresses.
  var isInOrder: Bool {
    var end: UInt64 = 0
    for extent in extents where extent.length > 0 {
      guard extent.offset >= end else { return false }
      end = extent.offset + extent.length
    }
    return true
  }

  private static func end(_ start: UInt64, _ size: UInt64, _ field: String, at place: UInt64)
    throws(CheckpointError) -> UInt64
  {
    let (end, overflow) = start.addingReportingOverflow(size)
    guard !overflow, end <= DumpPages.end << UInt64(Limits.pageShift) else {
      throw CheckpointError(
        .damaged, "\(field): found \(size) bytes at \(start), expected an end below 2^52",
        structure: "ELF program header", offset: place)
    }
    return end
  }

  /// Offset and count of the program headers.
  private static func table(
    _ header: [UInt8], _ read: (UInt64, Int) throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) -> (offset: UInt64, count: Int) {
    var reader = WireReader(header.rawSpan, structure: structure, at: 0)
    func unsupported(_ reason: String, hint: Hint? = nil) -> CheckpointError {
      CheckpointError(.refused, reason, structure: structure, offset: 0, hint: hint)
    }
    try reader.expect("magic", try reader.readBytes(4), [0x7f, 0x45, 0x4c, 0x46])
    let isWide = try reader.read(UInt8.self) == 2
    guard try reader.read(UInt8.self) == 1 else {
      throw unsupported("is of a big-endian machine, not x86-64")
    }
    try reader.skip(10)
    let type: UInt16 = try reader.read()
    let machine: UInt16 = try reader.read()
    guard machine == ELFHead.x86 else {
      throw unsupported("is of \(ELFHead.machines[machine] ?? "machine \(machine)"), not x86-64")
    }
    guard isWide else { throw unsupported("is an ELF file of 32 bits") }
    guard type == ELFHead.core else {
      throw unsupported("is an ELF file of type \(type), not a core file (4)")
    }
    try reader.skip(12)
    let offset: UInt64 = try reader.read()
    let sections: UInt64 = try reader.read()
    try reader.skip(6)
    let size: UInt16 = try reader.read()
    let few: UInt16 = try reader.read()
    let sectionSize: UInt16 = try reader.read()
    guard few > 0 else {
      throw unsupported(
        "has no program headers, as a file of xl dump-core", hint: .captureDomain)
    }
    try reader.expect("program header size", Int(size), ELFHead.programHeaderSize)
    var count = Int(few)
    if few == ELFHead.manyHeaders, sections != 0, Int(sectionSize) == ELFHead.sectionHeaderSize {
      let first = try read(sections, ELFHead.sectionHeaderSize)
      var reader = WireReader(
        first.rawSpan, structure: "ELF section header", at: sections)
      try reader.skip(44)
      count = Int(try reader.read(UInt32.self))
    }
    guard (1...maximumSegments).contains(count) else {
      throw reader.damaged("program headers: found \(count), expected 1 to \(maximumSegments)")
    }
    return (offset, count)
  }

  /// Sorts the memory and finds what is missing.
  ///
  /// Segments may be views of the same bytes, as QEMU's `-p` writes them. The kernel's image counts only where no other
  /// segment shows that memory.
  ///
  /// - Parameter length: the length of the file. No two segments may share bytes otherwise, or a small file could
  ///   describe unlimited memory.
  private mutating func take(_ segments: [Segment], _ length: UInt64, _ cut: [Range<PFN>])
    throws(CheckpointError)
  {
    let sorted = segments.sorted {
      ($0.extent.address, $0.extent.offset) < ($1.extent.address, $1.extent.offset)
    }
    for segment in sorted where !segment.isKernelImage { try add(segment) }
    extents += MemoryExtent.gaps(of: sorted.filter(\.isKernelImage).map(\.extent), in: extents)
    extents = extents.filter { $0.length > 0 }.sorted { $0.address < $1.address }
    // A page that is not whole is not to be trusted, even if another segment has a part of it.
    var lost: [Range<PFN>] = []
    for pages in cut.sorted(by: { $0.lowerBound < $1.lowerBound }) { lost.join(pages) }
    extents = MemoryExtent.gaps(of: extents, in: lost.map { MemoryExtent($0) })
    var left = length
    for extent in extents {
      guard extent.length <= left else {
        throw CheckpointError(
          .damaged, "the segments have more bytes in the file than its \(length)",
          structure: "ELF program header")
      }
      left -= extent.length
    }
    try findMissing(sorted, isCut: !cut.isEmpty)
  }

  /// Adds memory that does not begin before what is there.
  private mutating func add(_ segment: Segment) throws(CheckpointError) {
    guard segment.extent.length > 0 else { return }
    guard let last = extents.last, segment.extent.address < last.end else {
      return extents.append(segment.extent)
    }
    guard segment.extent.offset &- last.offset == segment.extent.address - last.address else {
      throw CheckpointError(
        .damaged,
        "overlaps another one at address \(Hexadecimal.string(segment.extent.address)), and has other bytes there",
        structure: "ELF program header", offset: segment.place)
    }
    extents[extents.count - 1].length = max(last.end, segment.extent.end) - last.address
  }

  /// Finds the pages that segments describe and of which the file has no byte; a page of which it has one counts as
  /// present, the rest of it as zeros.
  private mutating func findMissing(_ segments: [Segment], isCut: Bool) throws(CheckpointError) {
    var described: [Range<PFN>] = []
    for segment in segments { described.join(Self.pages(segment.extent.address..<segment.end)) }
    var present: [Range<PFN>] = []
    for extent in extents { present.join(Self.pages(extent.address..<extent.end)) }
    var known = present[...]
    for run in described {
      var first = run.lowerBound
      while first < run.upperBound {
        while let next = known.first, next.upperBound <= first { known.removeFirst() }
        let end = min(run.upperBound, known.first.map { max(first, $0.lowerBound) } ?? .max)
        if first < end { missing.append(first..<end) }
        first = max(end, known.first?.upperBound ?? end)
      }
    }
    let (count, stored) = (Self.count(missing), Self.count(present))
    guard isCut || count <= 1 << 24 + stored << 8 else {
      throw CheckpointError(
        .damaged, "\(count) pages without contents beside \(stored) with contents",
        structure: "ELF program header")
    }
  }

  private static func count(_ runs: [Range<PFN>]) -> UInt64 {
    runs.reduce(0) { $0 + UInt64($1.count) }
  }
}
