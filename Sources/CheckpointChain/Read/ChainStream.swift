package import CheckpointCodec
package import CheckpointImage
internal import Storage

/// The memory and machine state of a chain's tip in the order of the stream that it was captured from: pages are
/// deferred reads of up to 256.
package final class ChainStream: EventSource {
  private let chain: Chain
  private let reader: PageReader?
  private var pendingRecord: MachineRecord?
  /// What the layout has given.
  private var coverage = Coverage()
  private var pages = PFNRanges([])
  private var layout: LayoutReader
  private var records: ArraySlice<MachineRecord>
  private var done: UInt64 = 0
  private let total: UInt64
  private var canonicalPagesDone = false
  private var layoutPFNs: UInt64 = 0

  /// How many of the populated pages were given out.
  package var fractionDone: Double? { total == 0 ? nil : min(1, Double(done) / Double(total)) }

  /// The events of `chain`'s tip.
  ///
  /// - Parameter pool: where pages that lie scattered are gathered beforehand.
  /// - Throws: `.refused` if the image holds no layout.
  package convenience init(_ chain: Chain, on pool: WorkerPool) throws(CheckpointError) {
    try self.init(
      chain, PageReader(chain, reading: chain.memoryTree.map(\.block), on: pool))
  }

  private init(_ chain: Chain, _ reader: PageReader?) throws(CheckpointError) {
    guard chain.tip.root.layout != .none else {
      throw CheckpointError(
        .refused, "holds no layout of a Xen stream (its source was none, or it was salvaged)",
        file: chain.tip.name, hint: .exportMemory)
    }
    self.chain = chain
    self.reader = reader
    layout = LayoutReader(chain.tip)
    records = try chain.completeRecords()[...]
    total = PFNRanges(populatedBlocksOf: chain).count
  }

  /// Goes through the layout of a chain's tip as an export would, without reading a page.
  package static func checkLayout(of chain: Chain) throws(CheckpointError) {
    guard chain.tip.root.layout != .none else { return }
    let stream = try ChainStream(chain, nil)
    while try stream.next() != nil { try chain.cancellation.check() }
  }

  /// The next event.
  package func next() throws(CheckpointError) -> StreamEvent<Deferred<PageBatch>>? {
    if let record = pendingRecord.take() { return .record(record) }
    if let ranges = pages.take(PageBuffer.capacity) {
      done += ranges.reduce(0) { $0 + UInt64($1.count) }
      try coverage.add(ranges, of: chain)
      return .pages(
        Deferred { [reader] () throws(CheckpointError) in
          guard let reader else {
            throw CheckpointError(.refused, "pages of a layout that is only checked")
          }
          return try reader.read(ranges)
        })
    }
    guard let item = try layout.next() else {
      guard records.isEmpty else {
        throw damaged("\(records.count) machine records have no place in it")
      }
      try coverage.end(chain)
      return nil
    }
    switch item {
    case .pages(let wanted):
      return .layout(.pages(try beginPages(wanted)))
    case .record:
      guard let record = records.popFirst() else {
        throw damaged("it has more machine records than the image")
      }
      // The item is about the padding; the record itself follows.
      pendingRecord = record
      return .layout(item)
    case .frame, .bytes:
      return .layout(item)
    }
  }

  private func beginPages(_ wanted: LayoutItem.Pages) throws(CheckpointError) -> LayoutItem.Pages {
    guard chain.tip.root.layout == .canonical else {
      let limit = Limits.layoutPFNs(blocks: chain.memoryTree.count)
      for run in wanted.runs {
        guard run.count <= limit - layoutPFNs else {
          throw damaged(
            "PFNs: found \(run.count) behind \(layoutPFNs), expected at most \(limit)")
        }
        layoutPFNs += run.count
      }
      pages = PFNRanges(wanted.runs.map { $0.pfn..<$0.pfn + $0.count })
      return wanted
    }
    // Pages came several times or out of order: all of them once, where the first came.
    guard !canonicalPagesDone else {
      return LayoutItem.Pages(batch: wanted.batch, reserved: 0, runs: [])
    }
    canonicalPagesDone = true
    pages = PFNRanges(populatedBlocksOf: chain)
    return LayoutItem.Pages(batch: 1024, reserved: 0, runs: [])
  }

  private func damaged(_ reason: String) -> CheckpointError {
    CheckpointError(
      .damaged, reason, structure: "layout", offset: layout.offset, file: chain.tip.name)
  }
}
