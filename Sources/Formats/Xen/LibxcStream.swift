internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Reads a libxc stream, versions 2 and 3: Xen's `libxc-migration-stream`.
final class LibxcStream {
  private enum Phase {
    case record
    case pages(PageDataRecord, next: Int)
  }

  private let reader: StreamReader
  private let buffers = PageBufferPool()
  private var input: InputStream { reader.input }
  private var phase = Phase.record
  private var rules: RecordRules
  private var pageLayout = PageLayout()
  private var nextPFN: PFN = 0

  /// Reads the headers.
  init(_ reader: StreamReader) throws(CheckpointError) {
    self.reader = reader
    let input = reader.input
    let offset = input.position
    let image = try input.read(XenStream.imageHeaderSize, "libxc image header")
    guard image.starts(with: XenStream.libxcMarker) else {
      throw reader.damaged(
        "does not begin with the marker and XENF", "libxc image header", at: offset)
    }
    let version = image.u32(12).byteSwapped
    guard (2...3).contains(version) else {
      throw reader.unsupported("version \(version)", "libxc image header", at: offset + 12)
    }
    guard image[17] & 1 == 0 else {
      throw reader.unsupported("a big-endian stream", "libxc image header", at: offset + 16)
    }
    let domainOffset = input.position
    let domain = try input.read(XenStream.domainHeaderSize, "libxc domain header")
    let rawGuest = domain.u32(0)
    guard let guest = XenStream.GuestType(rawValue: rawGuest) else {
      throw reader.unsupported("guest type \(rawGuest)", "libxc domain header", at: domainOffset)
    }
    let pageShift = domain.u32(4) & 0xffff
    guard pageShift == 12 else {
      throw reader.unsupported(
        "page shift \(pageShift)", "libxc domain header", at: domainOffset + 4)
    }
    reader.append(.streamHeader, .epoch, XenStream.Header.image.rawValue, image)
    reader.append(.streamHeader, .epoch, XenStream.Header.domain.rawValue, domain)
    reader.facts.guestType = guest == .pv ? .pv : .hvm
    reader.fields.append(("hypervisor", "Xen \(domain.u32(8)).\(domain.u32(12))"))
    // The guest was suspended at the end of the save: what is in the file is one moment.
    reader.facts.consistency = .atomic
    rules = RecordRules(version: version, guest: guest)
  }

  /// Reads the next part; returns what ended with it, or nil.
  func step() throws(CheckpointError) -> StreamEnd? {
    switch phase {
    case .record: return try readRecord()
    case .pages(let record, let next):
      try readPages(record, from: next)
      return nil
    }
  }

  /// Starts the next moment, after a checkpoint.
  func beginMoment() {
    rules.beginMoment()
    nextPFN = 0
  }

  /// Ends a stream that broke off: what is known of its layout is complete.
  func endEarly() { endPageLayout() }

  private func readRecord() throws(CheckpointError) -> StreamEnd? {
    let offset = input.position
    let head = try input.read(8, "libxc record")
    let rawType = head.u32(0)
    let length = Int(head.u32(4))
    try reader.check(
      UInt64(length), atMost: Limits.maximumRecord, "libxc record", at: offset + 4)
    guard let type = XenStream.LibxcType(rawValue: rawType) else {
      guard rawType & XenStream.optionalBit != 0 else {
        throw reader.unsupported(
          "type \(Hexadecimal.string(UInt64(rawType)))", "libxc record", at: offset)
      }
      endPageLayout()
      try readRecord(rawType, .epoch, length, nil, at: offset)
      return nil
    }
    if let problem = rules.order(type) { throw reader.damaged(problem, "libxc record", at: offset) }
    if type != .pageData { endPageLayout() }
    switch type {
    case .pageData:
      let record = try PageDataRecord(input, length: length, at: input.position)
      if !reader.isVerifying { reader.append(layout: pageLayout.add(record)) }
      phase = .pages(record, next: 0)
    case .end, .checkpoint:
      if let problem = rules.body(type, try input.read(length, "\(type)")) ?? rules.end() {
        throw reader.damaged(problem, "libxc stream", at: offset)
      }
      guard type == .end || !reader.isVerifying else {
        throw reader.unsupported("a checkpoint behind VERIFY", "libxc stream", at: offset)
      }
      // Each moment is written as a stream of its own.
      reader.append(endFrame: .libxc, XenStream.LibxcType.end.rawValue)
      return type == .end ? .stream : .moment
    case .staticDataEnd:
      if let problem = rules.body(type, try input.read(length, "STATIC_DATA_END")) {
        throw reader.damaged(problem, "libxc record", at: offset)
      }
      reader.append(headFrame: .libxc, rawType)
    case .verify:
      if let problem = rules.body(type, try input.read(length, "VERIFY")) {
        throw reader.damaged(problem, "libxc record", at: offset)
      }
      reader.isVerifying = true
    case .checkpointDirtyPFNList, .toolstack:
      throw reader.unsupported("a \(type) record in a stream", "libxc record", at: offset)
    default:
      try readRecord(rawType, type.recordClass, length, type, at: offset)
    }
    return nil
  }

  private func endPageLayout() { reader.append(layout: pageLayout.end()) }

  private func readRecord(
    _ rawType: UInt32, _ recordClass: RecordClass, _ length: Int, _ type: XenStream.LibxcType?,
    at offset: UInt64
  ) throws(CheckpointError) {
    let name = type.map { "\($0)" } ?? "optional record"
    let body = try input.read(length, name)
    if let type, let problem = rules.body(type, body) {
      throw reader.damaged(problem, name, at: offset)
    }
    reader.append(.libxc, recordClass, rawType, body, padding: try reader.readPadding(length))
  }

  /// States that pages did not come which a record that is cut names, whatever copies of them came before.
  private func stateMissing(_ pfns: [PFN], _ record: PageDataRecord, from start: Int) {
    guard !reader.isVerifying else { return }
    let rest = (start..<record.count).map { record[$0] }.filter(\.hasContents).map(\.pfn)
    var last: PFN?
    for pfn in pfns + rest {
      // Else the copies before would count.
      if let last, pfn <= last { reader.append(.newPass) }
      last = pfn
      reader.append(.states(StateExtent(pfn: pfn, count: 1, status: PageStatus(.unreadable))))
    }
  }

  /// Up to 256 pages with contents, and the runs of pages without contents between them.
  private func readPages(_ record: PageDataRecord, from start: Int)
    throws(CheckpointError)
  {
    var pages: [PageBatch.Page] = []
    var runs = RunJoiner<PageStatus>()
    var index = start
    while index < record.count, pages.count < PageBuffer.capacity {
      let entry = record[index]
      if entry.pfn < nextPFN {
        // Pages read so far must be passed on before a second copy of one of them.
        if index > start { break }
        if !reader.isVerifying { reader.append(.newPass) }
      }
      nextPFN = entry.pfn + 1
      index += 1
      if entry.hasContents {
        pages.append(PageBatch.Page(pfn: entry.pfn, type: entry.type))
      } else if let run = runs.add(entry.pfn..<entry.pfn + 1, entry.status), !reader.isVerifying {
        reader.append(.states(run))
      }
    }
    if let run = runs.end(), !reader.isVerifying { reader.append(.states(run)) }
    if !pages.isEmpty {
      let buffer = buffers.buffer()
      let found = try input.readPages(0..<pages.count, of: buffer).pages
      if found > 0, !reader.isVerifying {
        reader.append(.pages(PageBatch(buffer: buffer, pages: Array(pages.prefix(found)))))
      }
      guard found == pages.count else {
        stateMissing(pages[found...].map(\.pfn), record, from: index)
        // What ended the input, if more is known of that.
        _ = try input.isAtEnd()
        throw CheckpointError(
          .incomplete, "the input ends after \(found) of \(pages.count) pages",
          structure: "PAGE_DATA", offset: input.position, file: input.name)
      }
    }
    phase = index == record.count ? .record : .pages(record, next: index)
  }
}
