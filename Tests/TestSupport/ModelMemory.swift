package import CheckpointCodec
package import CheckpointImage

/// A guest's memory that a test holds; what it does not hold is unknown.
package final class ModelMemory: PhysicalMemory {
  package var pages: [PFN: [UInt8]] = [:]
  package var limit: PFN
  /// The pages that there are, if not all below the limit.
  package var there: [Range<PFN>]?
  /// Pages that were asked for.
  package var copied = 0

  package init(limit: PFN) { self.limit = limit }

  package var runs: [Range<PFN>] { there ?? [0..<limit] }

  package func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int)
    throws(CheckpointError)
    -> [Int]
  {
    copied += pfns.count
    var unknown: [Int] = []
    for (place, pfn) in pfns.enumerated() {
      if let page = pages[pfn] {
        unsafe page.withUnsafeBytes { unsafe buffer.copy($0, to: slot + place) }
      } else {
        unknown.append(place)
      }
    }
    return unknown
  }

  package subscript(u64 physical: UInt64) -> UInt64 {
    get {
      let page = pages[physical >> 12] ?? [UInt8](repeating: 0, count: Limits.pageSize)
      return (0..<8).reduce(0) { $0 | UInt64(page[Int(physical & 0xfff) + $1]) << (8 * UInt64($1)) }
    }
    set {
      for byte in 0..<8 {
        pages[physical >> 12, default: [UInt8](repeating: 0, count: Limits.pageSize)][
          Int(physical & 0xfff) + byte] = UInt8(truncatingIfNeeded: newValue >> (8 * UInt64(byte)))
      }
    }
  }

  /// Maps a page in tables of so many levels, making those that are missing from `free` on.
  package func map(
    _ virtual: UInt64, to physical: UInt64, root: UInt64, levels: Int, free: inout PFN,
    leaf: Int = 0, flags: UInt64 = 3
  ) {
    var table = root
    for level in (0..<levels).reversed() {
      let entry = table + (virtual >> UInt64(12 + 9 * level) & 511) * 8
      if level == leaf {
        self[u64: entry] = physical | flags | (leaf > 0 ? 0x80 : 0)
        return
      }
      if self[u64: entry] == 0 {
        self[u64: entry] = free << 12 | 3
        free += 1
      }
      table = self[u64: entry] & 0xf_ffff_ffff_f000
    }
  }

  package func write(_ bytes: [UInt8], at physical: UInt64) {
    for (place, byte) in bytes.enumerated() {
      let address = physical + UInt64(place)
      pages[address >> 12, default: [UInt8](repeating: 0, count: Limits.pageSize)][
        Int(address & 0xfff)] = byte
    }
  }
}
