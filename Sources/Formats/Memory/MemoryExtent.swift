internal import CheckpointImage

/// Physical memory that is contiguous in a file. It need not begin or end on a page boundary.
package struct MemoryExtent: Hashable, Sendable {
  /// The physical address of the first byte.
  package var address: UInt64
  /// The file offset of the first byte.
  package var offset: UInt64
  /// The number of bytes.
  package var length: UInt64

  /// An extent; `address + length` and `offset + length` must not overflow.
  package init(address: UInt64, offset: UInt64, length: UInt64) {
    self.address = address
    self.offset = offset
    self.length = length
  }

  /// One past the last address.
  package var end: UInt64 { address + length }

  /// Whole pages, wherever they lie in a file.
  init(_ pages: Range<PFN>) {
    let shift = UInt64(Limits.pageShift)
    self.init(
      address: pages.lowerBound << shift, offset: 0, length: UInt64(pages.count) << shift)
  }

  /// The parts of some extents that neither others nor those before them have. Both lists ascend.
  static func gaps(of extents: [MemoryExtent], in others: [MemoryExtent]) -> [MemoryExtent] {
    var gaps: [MemoryExtent] = []
    var address: UInt64 = 0
    var others = others[...]
    for extent in extents {
      address = max(address, extent.address)
      while address < extent.end {
        while let other = others.first, other.end <= address { others.removeFirst() }
        let end = min(extent.end, others.first.map { max(address, $0.address) } ?? .max)
        if address < end { gaps.append(extent.clamped(to: address..<end)) }
        address = max(end, others.first.map { min($0.end, extent.end) } ?? end)
      }
    }
    return gaps
  }

  /// The part within a range of addresses; empty if there is none.
  func clamped(to addresses: Range<UInt64>) -> MemoryExtent {
    let part = (address..<end).clamped(to: addresses)
    return MemoryExtent(
      address: part.lowerBound, offset: offset + (part.lowerBound - min(address, part.lowerBound)),
      length: UInt64(part.count))
  }
}
