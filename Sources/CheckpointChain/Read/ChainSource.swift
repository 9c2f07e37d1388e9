package import CheckpointCodec
package import CheckpointImage
internal import Storage

/// The memory and machine state of a chain's tip, as events: pages are deferred reads of up to 256.
package final class ChainSource: CheckpointSource {
  /// The order of the events.
  package enum Order: Sendable {
    /// Only pages, ascending.
    case ascending
    /// Only the pages of a range, ascending.
    case range(Range<PFN>)
    /// As in the stream the tip was captured from.
    case layout
  }

  private let chain: Chain
  private let reader: PageReader
  private var pendingRecord: MachineRecord?
  /// What a layout has given; ascending order gives everything.
  private var coverage: Coverage?
  private var pages: PFNRanges
  private var layout: LayoutReader?
  private var records: ArraySlice<MachineRecord>
  private var done: UInt64 = 0
  private var total: UInt64 = 0
  private var canonicalPagesDone = false
  private var layoutPFNs: UInt64 = 0

  /// How many of the populated pages were given out.
  package var fractionDone: Double? { total == 0 ? nil : min(1, Double(done) / Double(total)) }

  /// The events of `chain`'s tip.
  ///
  /// - Parameter pool: where pages that lie scattered are gathered beforehand; nil if none will be read.
  package init(_ chain: Chain, order: Order, on pool: WorkerPool?) throws(CheckpointError) {
    self.chain = chain
    reader =
      if let pool {
        try PageReader(chain, reading: Self.blocks(of: chain, order), on: pool)
      } else {
        PageReader(chain)
      }
    records = []
    switch order {
    case .ascending:
      pages = Self.blocks(of: chain)
    case .range(let range):
      pages = Self.blocks(of: chain, within: range)
    case .layout:
      guard chain.tip.root.layout != .none else {
        throw CheckpointError(
          .refused,
          "holds no layout of a Xen stream (its source was none, or it was salvaged): --to raw, elf, kdump and lime "
            + "are possible",
          file: chain.tip.name)
      }
      pages = PFNRanges([])
      coverage = Coverage()
      layout = LayoutReader(chain.tip)
      records = try chain.completeRecords()[...]
      total = Self.blocks(of: chain).count
      return
    }
    total = pages.count
  }

  /// Goes through the layout of a chain's tip as an export would, without reading a page.
  package static func checkLayout(of chain: Chain) throws(CheckpointError) {
    guard chain.tip.root.layout != .none else { return }
    let source = try ChainSource(chain, order: .layout, on: nil)
    while try source.next() != nil { try Interruption.check() }
  }

  /// The numbers of the blocks whose pages will be read.
  private static func blocks(of chain: Chain, _ order: Order) -> [UInt64] {
    guard case .range(let range) = order else { return chain.nodes.map(\.block) }
    return chain.nodes.map(\.block).filter { range.overlaps($0 << 9..<($0 + 1) << 9) }
  }

  private static func blocks(of chain: Chain, within range: Range<PFN> = 0..<Limits.pfnEnd)
    -> PFNRanges
  {
    let size = UInt64(Limits.blockPages)
    return PFNRanges(
      chain.nodes.map { ($0.block * size..<($0.block + 1) * size).clamped(to: range) }
        .filter { !$0.isEmpty })
  }

  /// The next event.
  package func next() throws(CheckpointError) -> CheckpointEvent? {
    if let record = pendingRecord.take() { return .record(record) }
    if let ranges = pages.take(PageBuffer.capacity) {
      done += ranges.reduce(0) { $0 + UInt64($1.count) }
      try coverage?.add(ranges, of: chain)
      return .deferred { [reader] () throws(CheckpointError) in .pages(try reader.read(ranges)) }
    }
    guard let item = try layout?.next() else {
      guard records.isEmpty else {
        throw damaged("\(records.count) machine records have no place in it")
      }
      try coverage?.end(chain)
      return nil
    }
    switch item {
    case .pages(let wanted):
      return .layout(.pages(try beginPages(wanted)))
    case .record:
      guard let record = records.popFirst() else {
        throw damaged("it has more machine records than the image")
      }
      // The item tells how the record is padded; the record itself follows.
      pendingRecord = record
      return .layout(item)
    default:
      return .layout(item)
    }
  }

  private func beginPages(_ wanted: LayoutItem.Pages) throws(CheckpointError) -> LayoutItem.Pages {
    guard chain.tip.root.layout == .canonical else {
      let limit = Limits.layoutPFNs(blocks: chain.nodes.count)
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
    pages = Self.blocks(of: chain)
    return LayoutItem.Pages(batch: 1024, reserved: 0, runs: [])
  }

  private func damaged(_ reason: String) -> CheckpointError {
    CheckpointError(
      .damaged, reason, structure: "layout", offset: layout?.offset, file: chain.tip.name)
  }
}
