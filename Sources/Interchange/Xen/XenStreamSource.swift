public import CheckpointCodec
public import CheckpointImage

/// The memory and machine state in an `xl save` file: xl header, libxl stream, libxc stream.
///
/// Layouts and rules: Xen's `libxl-migration-stream` (version 2), `libxc-migration-stream` (versions 2, 3).
public final class XenStreamSource: DescribedSource {
  private enum Phase {
    case libxlHeader
    case libxlRecord
    case libxcHeaders
    case libxcRecord
    case pages(PageDataRecord, next: Int)
    case end
  }

  /// What the headers told.
  public private(set) var facts = SourceFacts(
    kind: "xl save file", architecture: .x86, ascendingUnique: false, fields: [])
  /// The writer finds out whether pages come more than once.
  public let layoutKind: LayoutKind? = nil
  /// How much of the input was read.
  public var fractionDone: Double? { input.fractionDone }

  private let input: InputStream
  private var phase = Phase.libxlHeader
  private var events: [CheckpointEvent] = []
  private var nextEvent = 0
  private var rules = RecordRules(version: 3, guest: .pv)
  private var sawLibxc = false
  private var pageLayout = PageLayout()
  private var nextPFN: PFN = 0

  /// Reads the xl header and the domain's configuration.
  public init(_ input: InputStream) throws(CheckpointError) {
    self.input = input
    try readXLHeader()
  }

  /// The next event.
  public func next() throws(CheckpointError) -> CheckpointEvent? {
    while nextEvent == events.count {
      events.removeAll(keepingCapacity: true)
      nextEvent = 0
      switch phase {
      case .libxlHeader: try readLibxlHeader()
      case .libxlRecord: try readLibxlRecord()
      case .libxcHeaders: try readLibxcHeaders()
      case .libxcRecord: try readLibxcRecord()
      case .pages(let record, let next): try readPages(record, from: next)
      case .end: return nil
      }
    }
    nextEvent += 1
    return events[nextEvent - 1]
  }

  private func damaged(_ reason: String, _ structure: String, at offset: UInt64) -> CheckpointError
  {
    CheckpointError(.damaged, reason, structure: structure, offset: offset, file: input.name)
  }

  private func unsupported(_ reason: String, _ structure: String, at offset: UInt64)
    -> CheckpointError
  {
    CheckpointError(.unsupported, reason, structure: structure, offset: offset, file: input.name)
  }

  private func emit(
    _ namespace: RecordNamespace, _ recordClass: RecordClass, _ type: UInt32, _ payload: [UInt8],
    padded: Bool = true
  ) {
    events.append(.layout(.record(padded: padded)))
    events.append(.record(MachineRecord(namespace, recordClass, type: type, payload: payload)))
  }

  private func u32(_ bytes: [UInt8], _ offset: Int, bigEndian: Bool = false) -> UInt32 {
    let value = unsafe bytes.span.bytes.unsafeLoadUnaligned(
      fromByteOffset: offset, as: UInt32.self)
    return bigEndian ? UInt32(bigEndian: value) : UInt32(littleEndian: value)
  }

  // MARK: xl

  private func readXLHeader() throws(CheckpointError) {
    let header = try input.read(XenStream.xlHeaderSize, "xl header")
    guard XenStream.isXL(header) else { throw damaged("not an xl save file", "xl header", at: 0) }
    guard u32(header, 32) == 0x0102_0304 else {
      throw unsupported("written by a machine of the other byte order", "xl header", at: 32)
    }
    let flags = u32(header, 36)
    guard flags & ~3 == 0 else {
      throw unsupported("mandatory flags \(flags): only 1 and 2 are known", "xl header", at: 36)
    }
    guard flags & 2 != 0 else {
      throw unsupported(
        "a legacy stream of Xen 4.5 or older: convert it with Xen's convert-legacy-stream",
        "xl header", at: 36)
    }
    let length = Int(u32(header, 44))
    guard length <= XenStream.maximumOptionalData else {
      throw damaged(
        "optional data: found \(length) bytes, expected at most \(XenStream.maximumOptionalData)",
        "xl header", at: 44)
    }
    emit(.streamHeader, .epoch, XenStream.Header.xl.rawValue, header)
    guard length > 0 else { return }
    guard length >= 4 else {
      throw damaged("optional data: found \(length) bytes, expected 0 or 4", "xl header", at: 44)
    }
    let configLength = Int(u32(try input.read(4, "xl header"), 0))
    guard configLength <= length - 4 else {
      throw damaged(
        "configuration: found \(configLength) bytes, expected at most \(length - 4)", "xl header",
        at: 48)
    }
    let configuration = try input.read(configLength, "domain configuration")
    emit(.xl, .sticky, XenStream.XLPart.configuration.rawValue, configuration)
    if length - 4 > configLength {
      let rest = try input.read(length - 4 - configLength, "xl header")
      emit(.xl, .epoch, XenStream.XLPart.optionalData.rawValue, rest)
    }
    if let info = DomainConfiguration.read(configuration) {
      if let name = info.name { facts.fields.append(("domain.name", name)) }
      if let uuid = info.uuid { facts.fields.append(("domain.uuid", uuid)) }
      if let type = info.type { facts.fields.append(("domain.type", type)) }
    }
  }

  // MARK: libxl

  private func readLibxlHeader() throws(CheckpointError) {
    let offset = input.position
    let header = try input.read(XenStream.libxlHeaderSize, "libxl header")
    guard XenStream.isLibxl(header) else {
      throw damaged("does not begin with LibxlFmt", "libxl header", at: offset)
    }
    let version = u32(header, 8, bigEndian: true)
    guard version == 2 else {
      throw unsupported("version \(version)", "libxl header", at: offset + 8)
    }
    let options = u32(header, 12, bigEndian: true)
    guard options & 1 == 0 else {
      throw unsupported("a big-endian stream", "libxl header", at: offset + 12)
    }
    emit(.streamHeader, .epoch, XenStream.Header.libxl.rawValue, header)
    phase = .libxlRecord
  }

  private func readLibxlRecord() throws(CheckpointError) {
    let offset = input.position
    let head = try input.read(8, "libxl record")
    let rawType = u32(head, 0)
    let length = Int(u32(head, 4))
    guard let type = XenStream.LibxlType(rawValue: rawType) else {
      throw unsupported("type \(Hexadecimal.string(UInt64(rawType)))", "libxl record", at: offset)
    }
    func limit(_ maximum: Int) throws(CheckpointError) {
      guard length <= maximum else {
        throw damaged(
          "length of \(type): found \(length), expected at most \(maximum)", "libxl record",
          at: offset + 4)
      }
    }
    switch type {
    case .end:
      try limit(0)
      guard sawLibxc else {
        throw damaged("the stream ends without a libxc stream", "libxl record", at: offset)
      }
      guard try input.isAtEnd() else {
        throw damaged("bytes behind the end of the stream", "libxl stream", at: input.position)
      }
      events.append(.layout(.frame(.libxl, type: rawType)))
      phase = .end
    case .libxcContext:
      try limit(0)
      guard !sawLibxc else {
        throw damaged("a second libxc stream", "libxl record", at: offset)
      }
      events.append(.layout(.frame(.libxl, type: rawType)))
      phase = .libxcHeaders
    case .emulatorXenstoreData, .emulatorContext:
      let isStore = type == .emulatorXenstoreData
      try limit(isStore ? XenStream.maximumXenstoreData : XenStream.maximumEmulatorContext)
      guard length >= 8 else {
        throw damaged("length: found \(length), expected at least 8", "\(type)", at: offset)
      }
      let body = try input.read(length, "\(type)")
      if isStore { try checkStrings(body[8...], at: offset) }
      let padding = try readPadding(length)
      emit(.libxl, .epoch, rawType, body, padded: padding == nil)
      if let padding { events.append(.layout(.bytes(.libxl, padding))) }
    case .checkpointEnd, .checkpointState:
      throw unsupported("a checkpointed stream (\(type))", "libxl record", at: offset)
    }
  }

  /// Keys and values, each ended by a NUL, their number even.
  private func checkStrings(_ bytes: ArraySlice<UInt8>, at offset: UInt64) throws(CheckpointError) {
    guard bytes.isEmpty || bytes.last == 0, bytes.count(where: { $0 == 0 }) % 2 == 0 else {
      throw damaged("not pairs of strings ended by NUL", "emulatorXenstoreData", at: offset)
    }
  }

  /// The padding behind a body; nil if it is zero as it should be.
  private func readPadding(_ length: Int) throws(CheckpointError) -> [UInt8]? {
    let padding = try input.read((8 - length % 8) % 8, "padding")
    return padding.allSatisfy { $0 == 0 } ? nil : padding
  }

  // MARK: libxc

  private func readLibxcHeaders() throws(CheckpointError) {
    let offset = input.position
    let image = try input.read(XenStream.imageHeaderSize, "libxc image header")
    guard XenStream.isLibxc(image) else {
      throw damaged("does not begin with the marker and XENF", "libxc image header", at: offset)
    }
    let version = u32(image, 12, bigEndian: true)
    guard (2...3).contains(version) else {
      throw unsupported("version \(version)", "libxc image header", at: offset + 12)
    }
    guard image[17] & 1 == 0 else {
      throw unsupported("a big-endian stream", "libxc image header", at: offset + 16)
    }
    let domainOffset = input.position
    let domain = try input.read(XenStream.domainHeaderSize, "libxc domain header")
    let rawGuest = u32(domain, 0)
    guard let guest = XenStream.GuestType(rawValue: rawGuest) else {
      throw unsupported("guest type \(rawGuest)", "libxc domain header", at: domainOffset)
    }
    let pageShift = u32(domain, 4) & 0xffff
    guard pageShift == 12 else {
      throw unsupported("page shift \(pageShift)", "libxc domain header", at: domainOffset + 4)
    }
    emit(.streamHeader, .epoch, XenStream.Header.image.rawValue, image)
    emit(.streamHeader, .epoch, XenStream.Header.domain.rawValue, domain)
    facts.fields.append(("guest.type", guest == .pv ? "PV" : "HVM"))
    facts.fields.append(("hypervisor", "Xen \(u32(domain, 8)).\(u32(domain, 12))"))
    // The guest stood still at the end of the save: what is in the file is one moment.
    facts.fields.append(("consistency", "atomic"))
    rules = RecordRules(version: version, guest: guest)
    sawLibxc = true
    phase = .libxcRecord
  }

  private func readLibxcRecord() throws(CheckpointError) {
    let offset = input.position
    let head = try input.read(8, "libxc record")
    let rawType = u32(head, 0)
    let length = Int(u32(head, 4))
    guard length <= Limits.maximumRecord else {
      throw damaged(
        "length: found \(length), expected at most \(Limits.maximumRecord)", "libxc record",
        at: offset + 4)
    }
    guard let type = XenStream.LibxcType(rawValue: rawType) else {
      guard rawType & XenStream.optionalBit != 0 else {
        throw unsupported("type \(Hexadecimal.string(UInt64(rawType)))", "libxc record", at: offset)
      }
      endPageLayout()
      return try readRecord(rawType, .epoch, length, nil, at: offset)
    }
    if let problem = rules.order(type) { throw damaged(problem, "libxc record", at: offset) }
    if type != .pageData { endPageLayout() }
    switch type {
    case .pageData:
      let record = try PageDataRecord(input, length: length, at: input.position)
      if let item = pageLayout.add(record) { events.append(.layout(item)) }
      phase = .pages(record, next: 0)
    case .end:
      if let problem = rules.body(type, try input.read(length, "END")) ?? rules.end() {
        throw damaged(problem, "libxc stream", at: offset)
      }
      events.append(.layout(.frame(.libxc, type: rawType)))
      phase = .libxlRecord
    case .staticDataEnd:
      if let problem = rules.body(type, try input.read(length, "STATIC_DATA_END")) {
        throw damaged(problem, "libxc record", at: offset)
      }
      events.append(.layout(.frame(.libxc, type: rawType)))
    case .verify, .checkpoint, .checkpointDirtyPFNList, .toolstack:
      throw unsupported("a \(type) record in a plain stream", "libxc record", at: offset)
    default:
      try readRecord(rawType, type.recordClass, length, type, at: offset)
    }
  }

  private func endPageLayout() {
    if let item = pageLayout.end() { events.append(.layout(item)) }
  }

  private func readRecord(
    _ rawType: UInt32, _ recordClass: RecordClass, _ length: Int, _ type: XenStream.LibxcType?,
    at offset: UInt64
  ) throws(CheckpointError) {
    let name = type.map { "\($0)" } ?? "optional record"
    let body = try input.read(length, name)
    if let type, let problem = rules.body(type, body) {
      throw damaged(problem, name, at: offset)
    }
    let padding = try readPadding(length)
    emit(.libxc, recordClass, rawType, body, padded: padding == nil)
    if let padding { events.append(.layout(.bytes(.libxc, padding))) }
  }

  /// Up to 256 pages with contents, and the runs of others between them.
  private func readPages(_ record: PageDataRecord, from start: Int) throws(CheckpointError) {
    var pages: [PageBatch.Page] = []
    var run: StateExtent?
    var index = start
    while index < record.count, pages.count < PageBuffer.capacity {
      let entry = record[index]
      if entry.pfn < nextPFN {
        // What was collected must come before what may be a second copy of it.
        if index > start { break }
        events.append(.newPass)
      }
      nextPFN = entry.pfn + 1
      index += 1
      if entry.hasContents {
        pages.append(PageBatch.Page(pfn: entry.pfn, type: entry.type))
      } else if let last = run, last.end == entry.pfn, last.status == entry.status {
        run?.count += 1
      } else {
        if let run { events.append(.states(run)) }
        run = StateExtent(pfn: entry.pfn, count: 1, status: entry.status)
      }
    }
    if let run { events.append(.states(run)) }
    if !pages.isEmpty {
      let buffer = PageBuffer()
      try input.read(pages: 0..<pages.count, of: buffer, "PAGE_DATA")
      events.append(.pages(PageBatch(buffer: buffer, pages: pages)))
    }
    phase = index == record.count ? .libxcRecord : .pages(record, next: index)
  }
}
