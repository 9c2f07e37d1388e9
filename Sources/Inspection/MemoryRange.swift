package import CheckpointImage

/// A range of a guest's memory in bytes, which may end with the last byte of the address space.
package struct MemoryRange: Hashable, Sendable {
  /// The first byte's address.
  package let address: UInt64
  /// The number of bytes, at least 1.
  package let length: UInt64

  /// A range; nil if it is empty or extends beyond the last address.
  package init?(address: UInt64, length: UInt64) {
    guard length > 0, length - 1 <= UInt64.max - address else { return nil }
    self.address = address
    self.length = length
  }

  /// The pages that the range touches.
  package var pages: Range<PFN> {
    let shift = UInt64(Limits.pageShift)
    return address >> shift..<(address + (length - 1)) >> shift + 1
  }

  /// Which of `count` bytes from address `start` on lie in the range; empty if none do.
  func part(of count: Int, from start: UInt64) -> Range<Int> {
    let last = address + (length - 1)
    let from = start < address ? min(address - start, UInt64(count)) : 0
    guard start <= last else { return 0..<0 }
    return Int(from)..<Int(max(from, min(UInt64(count) - 1, last - start) + 1))
  }

  /// The number of bytes of some pages that lie in the range.
  func overlap(_ extent: StateExtent) -> UInt64 {
    let first = max(address, extent.pfn << UInt64(Limits.pageShift))
    let last = min(
      address + (length - 1), (extent.end - 1) << UInt64(Limits.pageShift) | 0xfff)
    return first <= last ? last - first + 1 : 0
  }
}
