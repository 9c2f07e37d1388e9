internal import CheckpointCodec
internal import CheckpointImage

/// The checked contents of the headers of an ELF core file: where its notes and its memory lie.
struct ELFCore {
  /// A LOAD segment.
  private struct Segment {
    var place: UInt64
    var virtual: UInt64
    var extent: MemoryExtent
    /// The end of its addresses; the last bytes may be missing in the file.
    var end: UInt64
  }

  /// Offset and length of each NOTE segment.
  private(set) var notes: [(offset: UInt64, length: Int)] = []
  /// The memory in the file, ascending by address.
  private(set) var extents: [MemoryExtent] = []
  /// Pages that the headers describe but of which the file has no byte, ascending.
  private(set) var missing: [Range<PFN>] = []

  private static let structure = "ELF header"
  private static let maximumSegments = 1 << 20
  private static let maximumNotes = 64 << 20
  /// Where Linux maps its own image: a second view of memory that other segments also contain.
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
    for _ in 0..<table.count {
      let place = table.offset + UInt64(reader.position)
      let type: UInt32 = try reader.read()
      try reader.skip(4)
      let offset: UInt64 = try reader.read()
      let virtual: UInt64 = try reader.read()
      let address: UInt64 = try reader.read()
      let stored: UInt64 = try reader.read()
      let size: UInt64 = try reader.read()
      try reader.skip(8)
      guard type == ELFHead.load || type == ELFHead.note else { continue }
      let end = try Self.end(offset, stored, "file size", at: place)
      if let length, end > length {
        throw CheckpointError(
          .incomplete, "the file ends at \(length), expected it to reach \(end)",
          structure: "ELF program header", offset: place)
      }
      if type == ELFHead.note {
        // The limit is for all of them together, since many segments may share the same bytes of the file.
        noteBytes += stored
        guard noteBytes <= Self.maximumNotes else {
          throw CheckpointError(
            .damaged, "notes: found \(noteBytes) bytes, expected at most \(Self.maximumNotes)",
            structure: "ELF program header", offset: place)
        }
        notes.append((offset, Int(stored)))
      } else if size > 0 {
        guard stored <= size else {
          throw CheckpointError(
            .damaged,
            "bytes in the file: found \(stored), expected at most \(size), those in memory",
            structure: "ELF program header", offset: place)
        }
        segments.append(
          Segment(
            place: place, virtual: virtual,
            extent: MemoryExtent(address: address, offset: offset, length: stored),
            end: try Self.end(address, size, "address", at: place)))
      }
    }
    guard !segments.isEmpty else {
      throw CheckpointError(
        .refused, "no segment is memory", structure: Self.structure, offset: 0)
    }
    try take(segments, length ?? .max)
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
    guard try reader.read(UInt8.self) == 2, try reader.read(UInt8.self) == 1 else {
      throw unsupported("is not of a 64-bit little-endian machine")
    }
    try reader.skip(10)
    let type: UInt16 = try reader.read()
    let machine: UInt16 = try reader.read()
    guard machine == ELFHead.x86 else { throw unsupported("is of machine \(machine), not x86-64") }
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
  /// - Parameter length: the length of the file. No two segments may share bytes, or a small file could
  ///   describe unlimited memory.
  private mutating func take(_ segments: [Segment], _ length: UInt64) throws(CheckpointError) {
    var left = length
    var last: Segment?
    var pages: UInt64 = 0
    for segment in segments.sorted(by: { $0.extent.address < $1.extent.address }) {
      if let before = last, segment.extent.address < before.end {
        // Where two views show the same memory, that of the kernel's image is ignored.
        guard segment.virtual >= Self.kernelImage, segment.end <= before.end else {
          throw CheckpointError(
            .damaged,
            "overlaps another one at address \(segment.extent.address); QEMU writes such files with -p",
            structure: "ELF program header", offset: segment.place)
        }
        continue
      }
      guard segment.extent.length <= left else {
        throw CheckpointError(
          .damaged, "the segments have more bytes in the file than its \(length)",
          structure: "ELF program header", offset: segment.place)
      }
      left -= segment.extent.length
      addMissing(upTo: segment.extent.address, behind: last)
      if segment.extent.length > 0 { extents.append(segment.extent) }
      pages += segment.extent.length >> UInt64(Limits.pageShift)
      last = segment
    }
    addMissing(upTo: .max, behind: last)
    let count = missing.reduce(0) { $0 + UInt64($1.count) }
    guard count <= 1 << 24 + pages << 8 else {
      throw CheckpointError(
        .damaged, "\(count) pages without contents beside \(pages) with contents",
        structure: "ELF program header")
    }
  }

  /// Adds pages at the end of a segment that are not in the file, except those in which the next segment
  /// begins.
  private mutating func addMissing(upTo next: UInt64, behind segment: Segment?) {
    guard let segment, segment.extent.end < segment.end else { return }
    let shift = UInt64(Limits.pageShift)
    let mask = UInt64(Limits.pageSize - 1)
    // A page counts as present if the file has any byte of it; the rest is zeros.
    let known = extents.last.map { ($0.end + mask) >> shift } ?? 0
    let first = max(segment.extent.end >> shift, known)
    let end = min((segment.end + mask) >> shift, next >> shift)
    let stated = missing.last?.upperBound ?? 0
    if max(first, stated) < end { missing.append(max(first, stated)..<end) }
  }
}
