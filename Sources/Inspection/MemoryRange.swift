package import CheckpointImage

/// A run of bytes of a guest's memory; it may end with the last byte of the address space.
package struct MemoryRange: Hashable, Sendable {
  /// The first byte's address.
  package let address: UInt64
  /// The number of bytes, at least 1.
  package let length: UInt64

  /// A range; nil if it is empty or goes past the last address.
  package init?(address: UInt64, length: UInt64) {
    guard length > 0, length - 1 <= UInt64.max - address else { return nil }
    self.address = address
    self.length = length
  }

  /// The pages it touches.
  package var pages: Range<PFN> {
    let shift = UInt64(Limits.pageShift)
    return address >> shift..<(address + (length - 1)) >> shift + 1
  }

  /// The part of `count` bytes from `start` on that lies in the range; empty if none does.
  func part(of count: Int, from start: UInt64) -> Range<Int> {
    let last = address + (length - 1)
    let from = start < address ? min(address - start, UInt64(count)) : 0
    guard start <= last else { return 0..<0 }
    return Int(from)..<Int(max(from, min(UInt64(count) - 1, last - start) + 1))
  }

  /// How many bytes of some pages lie in the range.
  func overlap(_ extent: StateExtent) -> UInt64 {
    let first = max(address, extent.pfn << UInt64(Limits.pageShift))
    let last = min(
      address + (length - 1), (extent.end - 1) << UInt64(Limits.pageShift) | 0xfff)
    return first <= last ? last - first + 1 : 0
  }
}
