package import CheckpointCodec
package import CheckpointImage

/// The memory of a chain's tip, ascending: deferred reads of up to 256 pages.
package final class ChainPages: EventSource {
  private let reader: PageReader
  private var pages: PFNRanges
  private var done: UInt64 = 0
  private let total: UInt64

  /// How many of the populated pages were given out.
  package var fractionDone: Double? { total == 0 ? nil : min(1, Double(done) / Double(total)) }

  /// All blocks of `chain` that have a populated page, as far as they lie in a range.
  ///
  /// - Parameter pool: where pages that lie scattered are gathered beforehand.
  package init(_ chain: Chain, within range: Range<PFN> = 0..<Limits.pfnEnd, on pool: WorkerPool)
    throws(CheckpointError)
  {
    pages = PFNRanges(populatedBlocksOf: chain, within: range)
    total = pages.count
    let blocks = chain.memoryTree.map(\.block).filter { range.overlaps($0.pages) }
    reader = try PageReader(chain, reading: blocks, on: pool)
  }

  /// The next pages.
  package func next() throws(CheckpointError) -> Deferred<PageBatch>? {
    guard let ranges = pages.take(PageBuffer.capacity) else { return nil }
    done += ranges.reduce(0) { $0 + UInt64($1.count) }
    return Deferred { [reader] () throws(CheckpointError) in try reader.read(ranges) }
  }
}

extension PFNRanges {
  /// The blocks of a chain that have a populated page, as far as they lie in a range.
  init(populatedBlocksOf chain: Chain, within range: Range<PFN> = 0..<Limits.pfnEnd) {
    self.init(
      chain.memoryTree.map { $0.block.pages.clamped(to: range) }.filter { !$0.isEmpty })
  }
}
