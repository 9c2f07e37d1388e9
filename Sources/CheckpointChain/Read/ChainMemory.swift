package import CheckpointCodec
package import CheckpointImage
internal import Storage

/// The memory of a chain's tip, page by page in any order, every one checked.
package final class ChainMemory: PhysicalMemory {
  /// One past the last block with a populated page.
  package let limit: PFN
  /// The blocks with a populated page.
  package let runs: [Range<PFN>]
  private let pages: PageReader
  private let cancellation: Cancellation

  /// The memory of the chain's tip. The regions read last stay expanded.
  package init(_ chain: Chain) {
    pages = PageReader(chain)
    cancellation = chain.cancellation
    var runs: [Range<PFN>] = []
    for (block, _) in chain.memoryTree { runs.join(block.pages) }
    self.runs = runs
    limit = runs.last?.upperBound ?? 0
  }

  /// Copies pages; the contents of evicted, unreadable and unpopulated ones are not known.
  package func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int)
    throws(CheckpointError) -> [Int]
  {
    try cancellation.check()
    var unknown: [Int] = []
    var start = pfns.startIndex
    while start < pfns.endIndex {
      let end = min(start + PageBuffer.capacity, pfns.endIndex)
      let batch = try pages.read(ranges(pfns[start..<end]))
      buffer.copy(batch.buffer, 0..<end - start, to: slot + start - pfns.startIndex)
      for (place, page) in zip(start..<end, batch.pages)
      where page.state != .data && page.state != .zero { unknown.append(place) }
      start = end
    }
    return unknown
  }

  private func ranges(_ pfns: ArraySlice<PFN>) -> [Range<PFN>] {
    var ranges: [Range<PFN>] = []
    // A wild number in the guest's tables is as unknown as the first page beyond the end.
    for pfn in pfns.lazy.map({ min($0, self.limit) }) {
      if let last = ranges.last, last.upperBound == pfn {
        ranges[ranges.count - 1] = last.lowerBound..<pfn + 1
      } else {
        ranges.append(pfn..<pfn + 1)
      }
    }
    return ranges
  }
}
