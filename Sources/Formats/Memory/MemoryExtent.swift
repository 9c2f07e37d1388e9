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

  /// The part within a range of addresses; empty if there is none.
  func clamped(to addresses: Range<UInt64>) -> MemoryExtent {
    let part = (address..<end).clamped(to: addresses)
    return MemoryExtent(
      address: part.lowerBound, offset: offset + (part.lowerBound - min(address, part.lowerBound)),
      length: UInt64(part.count))
  }
}
