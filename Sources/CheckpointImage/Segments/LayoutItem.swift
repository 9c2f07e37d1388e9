/// One step in writing the source's stream again, byte for byte (Spec, "Layout").
package enum LayoutItem: Hashable, Sendable {
  /// A run of PFNs.
  package struct Run: Hashable, Sendable {
    /// The first PFN.
    package var pfn: PFN
    /// The number of PFNs.
    package var count: UInt64

    /// Makes a run.
    package init(pfn: PFN, count: UInt64) {
      self.pfn = pfn
      self.count = count
    }
  }

  /// PAGE_DATA records: the PFNs of all runs, cut into records of `batch` PFNs.
  package struct Pages: Hashable, Sendable {
    /// PFNs in each record; the last may have fewer.
    package var batch: UInt32
    /// The reserved word of each record.
    package var reserved: UInt32
    /// The PFNs, in stream order.
    package var runs: [Run]

    /// Makes an item.
    package init(batch: UInt32, reserved: UInt32, runs: [Run]) {
      self.batch = batch
      self.reserved = reserved
      self.runs = runs
    }
  }

  /// A record without body that only frames others (END, STATIC_DATA_END, LIBXC_CONTEXT).
  case frame(RecordNamespace, type: UInt32)
  /// The next machine record, and the zero bytes behind it unless `padded` is false.
  case record(padded: Bool)
  /// Bytes as they are: padding that was not zero.
  case bytes(RecordNamespace, [UInt8])
  /// PAGE_DATA records.
  case pages(Pages)

  private static let maximumRuns = 1 << 16

  /// Reads the body of a layout segment at `offset`.
  package static func parseList(_ body: RawSpan, at offset: UInt64) throws(CheckpointError)
    -> [LayoutItem]
  {
    var reader = WireReader(body, structure: "layout", at: offset)
    var items: [LayoutItem] = []
    try reader.expect("length", body.byteCount, in: 1...Limits.maximumBody)
    while reader.remaining > 0 {
      let code: UInt8 = try reader.read()
      let flag: UInt8 = try reader.read()
      let rawNamespace: UInt16 = try reader.read()
      let value: UInt32 = try reader.read()
      guard let namespace = RecordNamespace(rawValue: rawNamespace) else {
        throw reader.damaged("namespace: found \(rawNamespace), expected 1 to 6")
      }
      if code != 2 { try reader.expect("flag", flag, 0) }
      switch code {
      case 1:
        try reader.expect("namespace", rawNamespace, in: 1...2)
        items.append(.frame(namespace, type: value))
      case 2:
        try reader.expect("flag", flag, in: 0...1)
        try reader.expect("namespace", namespace, .libxc)
        try reader.expect("value", value, 0)
        items.append(.record(padded: flag == 0))
      case 3:
        // Stream headers are records, never loose bytes; a dump has no layout.
        guard namespace != .streamHeader, namespace != .dumpNote else {
          throw reader.damaged("namespace: found \(rawNamespace), expected 1 to 3, 5 or 6")
        }
        items.append(.bytes(namespace, try reader.readBytes(Int(value))))
        try reader.padding()
      case 4:
        try reader.expect("namespace", namespace, .libxc)
        items.append(.pages(try parsePages(&reader, runCount: Int(value))))
      default:
        throw reader.damaged("item: found \(code), expected 1 to 4")
      }
    }
    return items
  }

  private static func parsePages(_ reader: inout WireReader, runCount: Int)
    throws(CheckpointError) -> Pages
  {
    let batch: UInt32 = try reader.read()
    let reserved: UInt32 = try reader.read()
    try reader.expect("runs", runCount, in: 1...maximumRuns)
    try reader.expect("batch", batch, in: 1...UInt32(Limits.maximumBatch))
    var pages = Pages(batch: batch, reserved: reserved, runs: [])
    for _ in 0..<runCount {
      let run = Run(pfn: try reader.read(), count: try reader.read())
      guard run.count > 0, run.pfn < Limits.pfnEnd, run.count <= Limits.pfnEnd - run.pfn else {
        throw reader.damaged("run of \(run.count) PFNs at \(run.pfn)")
      }
      pages.runs.append(run)
    }
    return pages
  }

  /// The body of a layout segment.
  package static func encodeList(_ items: [LayoutItem]) -> [UInt8] {
    var writer = WireWriter()
    func head(_ code: UInt8, _ flag: UInt8, _ namespace: RecordNamespace, _ value: UInt32) {
      writer.write(code)
      writer.write(flag)
      writer.write(namespace.rawValue)
      writer.write(value)
    }
    for item in items {
      switch item {
      case .frame(let namespace, let type): head(1, 0, namespace, type)
      case .record(let padded): head(2, padded ? 0 : 1, .libxc, 0)
      case .bytes(let namespace, let bytes):
        head(3, 0, namespace, UInt32(bytes.count))
        writer.write(bytes)
        writer.pad()
      case .pages(let pages):
        head(4, 0, .libxc, UInt32(pages.runs.count))
        writer.write(pages.batch)
        writer.write(pages.reserved)
        for run in pages.runs {
          writer.write(run.pfn)
          writer.write(run.count)
        }
      }
    }
    return writer.bytes
  }
}
