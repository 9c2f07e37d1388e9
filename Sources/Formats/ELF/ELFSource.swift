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
    if file == nil, let (core, notes) = try head(of: input) {
      let bytes = ForwardBytes(input, "ELF segment")
      return source(input, core, notes, ExtentMemory(bytes, core.extents), bytes)
    }
    var cut: CheckpointError?
    var bytes: LocalFile
    if let file {
      bytes = file
    } else {
      (bytes, cut) = try LocalFile.spooling(whatThereIsOf: input)
    }
    func read(_ offset: UInt64, _ count: Int) throws(CheckpointError) -> [UInt8] {
      try bytes.bytes(at: offset, count: count)
    }
    let core = try ELFCore(length: bytes.length, read)
    let isTold = core.remarks.contains { $0.weight == .incomplete }
    return source(
      input, core, try notes(core, read), ExtentMemory(bytes, core.extents), nil,
      cut: isTold ? nil : cut)
  }

  /// Headers and notes of a stream whose pages follow in order; nil if it must be spooled to be read.
  private static func head(of input: InputStream) throws(CheckpointError) -> (ELFCore, FoundNotes)?
  {
    // Peeked only, so that the stream can still be spooled if this is not enough.
    let start = try input.peek(1 << 16)
    func read(_ offset: UInt64, _ count: Int) throws(CheckpointError) -> [UInt8] {
      guard offset <= UInt64(start.count), count <= start.count - Int(offset) else {
        throw CheckpointError(.incomplete, "the head is long", offset: offset)
      }
      return Array(start[Int(offset)..<Int(offset) + count])
    }
    guard let core = try? ELFCore(length: nil, read), core.isInOrder,
      let notes = try? notes(core, read)
    else { return nil }
    return (core, notes)
  }

  private static func notes(
    _ core: ELFCore, _ read: (UInt64, Int) throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) -> FoundNotes {
    var found = FoundNotes()
    for segment in core.notes {
      try found.add(
        read(segment.offset, segment.length), at: segment.offset,
        alignment: segment.alignment)
    }
    return found
  }

  private static func source<Bytes>(
    _ input: InputStream, _ core: ELFCore, _ notes: FoundNotes, _ memory: ExtentMemory<Bytes>,
    _ stream: ForwardBytes?, cut: CheckpointError? = nil
  ) -> DumpSource {
    let known = memory.runs
    var runs =
      known.map { DumpSource.Run(pages: $0, contents: .memory(memory)) }
      + core.missing.map {
        DumpSource.Run(pages: $0, contents: .missing(PageStatus(.unreadable)))
      }
    runs.sort { $0.pages.lowerBound < $1.pages.lowerBound }
    var rest = runs[...]
    var facts = SourceFacts(
      kind: "ELF core file", architecture: .x86, ascendingUnique: false)
    let remarks = core.remarks + notes.remarks + (cut.map { [SourceRemark(.incomplete, $0)] } ?? [])
    facts.remarks = remarks.map { SourceRemark($0.weight, $0.what.inFile(input.name)) }
    return DumpSource(
      input, facts, notes.records, memory: memory as? ExtentMemory<LocalFile>, bytes: stream,
      pages: known.reduce(0) { $0 + UInt64($1.count) }
    ) { rest.popFirst() }
  }
}
