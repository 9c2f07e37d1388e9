/// How the pages of a region are compressed (Spec, "Region").
package enum CodecID: UInt8, CaseIterable, Sendable {
  case none = 0
  case zlib = 1
  case zstd = 2

  /// The name tools use.
  package var name: String { "\(self)" }
}

/// The part of a region's body in front of the compressed pages (Spec, "Region").
package struct RegionHeader: Hashable, Sendable {
  static let fixedSize = 16

  /// How the payload is compressed.
  package var codec: CodecID
  /// The pages, in the order of their contents.
  package var runs: [PageRun]

  /// The number of pages.
  package var pageCount: Int { runs.reduce(0) { $0 + $1.count } }
  /// Bytes of the header and the runs.
  package var byteCount: Int { Self.fixedSize + 8 * runs.count }
  /// Bytes of the pages when expanded.
  package var expandedSize: Int { pageCount * Limits.pageSize }

  /// Makes a header.
  package init(codec: CodecID, runs: [PageRun]) {
    self.codec = codec
    self.runs = runs
  }

  /// Reads the header at the start of a region's body, which lies at `offset`.
  package init(parsing body: RawSpan, at offset: UInt64) throws(CheckpointError) {
    var reader = WireReader(body, structure: "region", at: offset)
    let rawCodec: UInt8 = try reader.read()
    guard let codec = CodecID(rawValue: rawCodec) else {
      throw CheckpointError(
        .unsupported, "codec \(rawCodec)", structure: "region", offset: offset)
    }
    self.codec = codec
    try reader.expect("transform", try reader.read(UInt8.self), 0)
    let pageCount = Int(try reader.read(UInt16.self))
    let runCount = Int(try reader.read(UInt16.self))
    try reader.expect("page count", pageCount, in: 1...Limits.maximumRegionPages)
    try reader.expect("run count", runCount, in: 1...pageCount)
    try reader.expect("delta depth", try reader.read(UInt16.self), 0)
    try reader.expect("dictionary", try reader.read(UInt32.self), 0)
    try reader.expect("reserved", try reader.read(UInt32.self), 0)
    runs = []
    runs.reserveCapacity(runCount)
    var pages = 0
    for _ in 0..<runCount {
      let run = PageRun(packed: try reader.read())
      guard run.pfn + UInt64(run.count) <= Limits.pfnEnd, PageStatus.isValid(type: run.type) else {
        throw reader.damaged("run of \(run.count) pages at PFN \(run.pfn), type \(run.type)")
      }
      pages += run.count
      runs.append(run)
    }
    try reader.expect("pages in runs", pages, pageCount)
    if codec == .none {
      try reader.expect("stored bytes", reader.remaining, pageCount * Limits.pageSize)
    } else {
      // A compressed region is written only if it is smaller than its pages.
      try reader.expect("stored bytes", reader.remaining, in: 1...pageCount * Limits.pageSize - 1)
    }
  }

  /// The bytes in front of the payload.
  package func encoded() -> [UInt8] {
    var writer = WireWriter(capacity: byteCount)
    writer.write(codec.rawValue)
    writer.write(UInt8(0))
    writer.write(UInt16(pageCount))
    writer.write(UInt16(runs.count))
    writer.write(UInt16(0))
    writer.write(UInt32(0))
    writer.write(UInt32(0))
    for run in runs { writer.write(run.packed) }
    return writer.bytes
  }

  /// Calls `body` for each page with its slot.
  package func forEachPage(_ body: (Int, PFN, PageType) throws(CheckpointError) -> Void)
    throws(CheckpointError)
  {
    var slot = 0
    for run in runs {
      for pfn in run.pfn..<run.pfn + UInt64(run.count) {
        try body(slot, pfn, run.type)
        slot += 1
      }
    }
  }
}
