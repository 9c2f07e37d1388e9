public import CheckpointCodec
public import CheckpointImage

/// The memory of a chain's tip, page by page in any order, every one checked.
public final class ChainMemory: PhysicalMemory {
  /// One past the last block with a populated page.
  public let limit: PFN
  private let pages: PageReader

  /// The memory of the chain's tip. The regions read last stay expanded.
  public init(_ chain: Chain) {
    pages = PageReader(chain)
    limit = chain.nodes.reduce(0) { max($0, $1.block + 1) } * UInt64(Limits.blockPages)
  }

  /// Copies pages; the contents of evicted, unreadable and unpopulated ones are not known.
  public func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int)
    throws(CheckpointError) -> [Int]
  {
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
