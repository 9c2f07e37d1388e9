internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Opens an ELF core file of a machine's physical memory: of QEMU, of Linux's kdump, or of our own.
enum ELFSource {
  static func open(_ input: InputStream) throws(CheckpointError) -> DumpSource {
    do throws(CheckpointError) {
      return try source(input)
    } catch {
      throw error.inFile(input.name)
    }
  }

  private static func source(_ input: InputStream) throws(CheckpointError) -> DumpSource {
    let file = try input.file()
    if file == nil {
      // Peeked only, so that the stream can still be spooled if this is not enough.
      let start = try input.peek(1 << 16)
      func read(_ offset: UInt64, _ count: Int) throws(CheckpointError) -> [UInt8] {
        guard offset <= UInt64(start.count), count <= start.count - Int(offset) else {
          throw CheckpointError(.incomplete, "the head is long", offset: offset)
        }
        return Array(start[Int(offset)..<Int(offset) + count])
      }
      if let core = try? ELFCore(length: nil, read), core.isInOrder,
        let records = try? records(core, read)
      {
        let memory = ExtentMemory(ForwardBytes(input, "ELF segment"), core.extents)
        return source(input, core, records, memory)
      }
    }
    let bytes = if let file { file } else { try LocalFile(spooling: input) }
    func read(_ offset: UInt64, _ count: Int) throws(CheckpointError) -> [UInt8] {
      try bytes.bytes(at: offset, count: count)
    }
    let core = try ELFCore(length: bytes.length, read)
    return source(input, core, try records(core, read), ExtentMemory(bytes, core.extents))
  }

  /// A record for each note.
  private static func records(
    _ core: ELFCore, _ read: (UInt64, Int) throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) -> [MachineRecord] {
    var records: [MachineRecord] = []
    for segment in core.notes {
      records += try DumpNote.all(in: read(segment.offset, segment.length), at: segment.offset)
        .map(DumpNote.record)
      guard records.count <= Limits.maximumRecords else {
        throw CheckpointError(
          .damaged, "more than \(Limits.maximumRecords) notes", structure: "ELF note",
          offset: segment.offset)
      }
    }
    return records
  }

  private static func source<Bytes>(
    _ input: InputStream, _ core: ELFCore, _ records: [MachineRecord], _ memory: ExtentMemory<Bytes>
  ) -> DumpSource {
    let known = memory.runs
    var runs =
      known.map { DumpSource.Run(pages: $0, contents: .memory(memory)) }
      + core.missing.map {
        DumpSource.Run(pages: $0, contents: .missing(PageStatus(.unreadable)))
      }
    runs.sort { $0.pages.lowerBound < $1.pages.lowerBound }
    var rest = runs[...]
    let facts = SourceFacts(
      kind: "ELF core file", architecture: .x86, ascendingUnique: false)
    return DumpSource(
      input, facts, records, memory: memory as? ExtentMemory<LocalFile>,
      pages: known.reduce(0) { $0 + UInt64($1.count) }
    ) { rest.popFirst() }
  }
}
