package import CheckpointCodec
package import CheckpointImage
package import Storage

/// Writes a Xen stream from the layout, records and pages of a chain.
package final class XenStreamWriter: EventSink {
  package typealias Event = StreamEvent<PageBatch>

  /// The pages that were written as zeros.
  package private(set) var omitted = OmittedPages()

  private let output: any ByteSink
  private let format: XenFormat
  private let wrapping: StreamWrapping
  private let configuration: GivenConfiguration?
  private var hasBegun = false
  private var padsNextRecord = true
  private var batch = 0
  private var reserved: UInt32 = 0
  /// Whether the layout names no PFNs: then populated pages are written, divided as Xen divides them.
  private var isCanonical = false
  private var entries: [UInt64] = []
  private var contents: [(buffer: PageBuffer, slots: Range<Int>)] = []

  /// Writes a stream in this format to `output`.
  ///
  /// - Parameters:
  ///   - records: the records that will be received; they show which parts of the format the image lacks.
  ///   - configuration: for xl: the domain's configuration, in place of the image's.
  package init(
    _ format: XenFormat, of records: [RecordKey], configuration: GivenConfiguration? = nil,
    to output: any ByteSink
  ) throws(CheckpointError) {
    self.format = format
    self.configuration = configuration
    wrapping = try StreamWrapping(format, around: records, configuration: configuration)
    self.output = output
  }

  /// Writes layout items, each machine record after its item, and pages after theirs.
  package func receive(_ event: Event) throws(CheckpointError) {
    switch event {
    case .layout(let item): try receive(item)
    case .record(let record): try write(record)
    case .pages(let batch): try add(batch)
    }
  }

  /// Completes the stream.
  package func finish() throws(CheckpointError) {
    try endRecord()
    try output.write(wrapping.epilog)
  }

  /// Whether a part of the image belongs in the stream; the first such part is preceded by the prolog.
  private func takes(_ namespace: RecordNamespace, _ type: UInt32) throws(CheckpointError) -> Bool {
    guard format.holds(namespace, type) else { return false }
    if !hasBegun {
      hasBegun = true
      try output.write(wrapping.prolog)
    }
    let isXL =
      namespace == .xl || namespace == .streamHeader && type == XenStream.Header.xl.rawValue
    return !(isXL && wrapping.replacesConfiguration)
  }

  private func receive(_ item: LayoutItem) throws(CheckpointError) {
    try endRecord()
    switch item {
    case .frame(let namespace, let type):
      guard try takes(namespace, type) else { return }
      var writer = WireWriter()
      writer.write(type)
      writer.write(UInt32(0))
      try output.write(writer.bytes)
    case .record(let padded):
      padsNextRecord = padded
    case .bytes(let namespace, let bytes):
      guard try takes(namespace, 0) else { return }
      try output.write(bytes)
    case .pages(let pages):
      batch = Int(pages.batch)
      reserved = pages.reserved
      isCanonical = pages.runs.isEmpty
    }
  }

  private func write(_ record: MachineRecord) throws(CheckpointError) {
    let key = record.key
    guard try takes(key.namespace, key.type) else { return }
    guard let payload = record.payload else {
      throw CheckpointError(.damaged, "a machine record without contents", file: output.name)
    }
    if let configuration, key.namespace == .streamHeader,
      key.type == XenStream.Header.domain.rawValue, let first = payload.first,
      let guest = XenStream.GuestType(rawValue: UInt32(first))
    {
      try configuration.check(guest)
    }
    var writer = WireWriter(capacity: payload.count + 16)
    switch key.namespace {
    case .dumpNote: return
    case .streamHeader, .libvirt:
      writer.write(payload)
    case .xenServer:
      writer.write(UInt64(key.type))
      writer.write(UInt64(payload.count))
      writer.write(payload)
    case .xl:
      if key.type == XenStream.XLPart.configuration.rawValue { writer.write(UInt32(payload.count)) }
      writer.write(payload)
    case .libxc, .libxl:
      writer.write(key.type)
      writer.write(UInt32(payload.count))
      writer.write(payload)
      if padsNextRecord { writer.pad() }
    }
    try output.write(writer.bytes)
  }

  private func add(_ pages: PageBatch) throws(CheckpointError) {
    for slot in pages.pages.indices {
      let page = pages.pages[slot]
      if isCanonical {
        if page.state == .unpopulated { continue }
        // Xen rebuilds large pages from records that begin at multiples of 1024.
        if let first = entries.first, (first & (Limits.pfnEnd - 1)) / 1024 != page.pfn / 1024 {
          try endRecord()
        }
      }
      let type = try self.type(of: page)
      entries.append(page.pfn | UInt64(type) << 60)
      if type < XenStream.typeBroken { add(pages.buffer, slot) }
      if entries.count == batch { try endRecord() }
    }
  }

  private func type(of page: PageBatch.Page) throws(CheckpointError) -> UInt8 {
    switch page.state {
    case .data, .zero: return page.type
    case .evicted:
      omitted.count(page.state)
      return page.type
    case .broken: return XenStream.typeBroken
    case .allocateOnly: return XenStream.typeAllocateOnly
    case .unpopulated: return XenStream.typeNone
    case .unreadable, .unchanged:
      throw CheckpointError(
        .refused, "PFN \(page.pfn) is \(page.state): a guest cannot run without it",
        file: output.name)
    }
  }

  private func add(_ buffer: PageBuffer, _ slot: Int) {
    if let last = contents.last, last.buffer === buffer, last.slots.upperBound == slot {
      contents[contents.count - 1].slots = last.slots.lowerBound..<slot + 1
    } else {
      contents.append((buffer, slot..<slot + 1))
    }
  }

  /// Writes the PAGE_DATA record collected so far.
  private func endRecord() throws(CheckpointError) {
    guard !entries.isEmpty else { return }
    let pages = contents.reduce(0) { $0 + $1.slots.count }
    let length = 8 + 8 * entries.count + pages * Limits.pageSize
    guard length <= Limits.maximumRecord else {
      throw CheckpointError(
        .damaged,
        "a record of \(length) bytes: Xen takes at most \(Limits.maximumRecord)",
        structure: "layout", file: output.name)
    }
    var writer = WireWriter(capacity: 16 + 8 * entries.count)
    writer.write(XenStream.LibxcType.pageData.rawValue)
    writer.write(UInt32(length))
    writer.write(UInt32(entries.count))
    writer.write(reserved)
    for entry in entries { writer.write(entry) }
    try output.write(writer.bytes)
    for part in contents { try output.write(part.buffer.bytes(part.slots)) }
    entries.removeAll(keepingCapacity: true)
    contents.removeAll(keepingCapacity: true)
  }
}
