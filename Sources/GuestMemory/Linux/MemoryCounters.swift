internal import CheckpointCodec
package import CheckpointImage

/// A Linux kernel's own counters of its memory, in pages. In a running guest they may be off by a few pages per
/// processor.
package struct MemoryCounters: Equatable, Sendable {
  /// Unused pages in the page allocator.
  package var free: UInt64
  /// Contents of files that are on disk and mapped by no process.
  package var cleanCache: UInt64
  /// Free space of the guest's swap.
  package var swapRoom: UInt64

  /// Counters with these values.
  package init(free: UInt64, cleanCache: UInt64, swapRoom: UInt64) {
    self.free = free
    self.cleanCache = cleanCache
    self.swapRoom = swapRoom
  }

  /// Reads the counters. They change while they are read, so negative values count as 0.
  ///
  /// - Throws: `.refused` if the kernel does not state where they are.
  package init(_ guest: LinuxGuest) throws(CheckpointError) {
    let unknown = CheckpointError(.refused, "the kernel does not say where its counters are")
    guard let types = try guest.types, let zones = try guest.symbol("vm_zone_stat"),
      let nodes = try guest.symbol("vm_node_stat"), let swap = try guest.symbol("nr_swap_pages")
    else { throw unknown }
    func counter(_ array: UInt64, _ name: String) throws(CheckpointError) -> UInt64? {
      guard let index = types.enumerator(name), (0..<256).contains(index) else { return nil }
      return try value(at: array &+ UInt64(index) * 8)
    }
    func value(at address: UInt64) throws(CheckpointError) -> UInt64? {
      guard let bytes = try guest.bytes(at: address, count: 8) else { return nil }
      let word = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return UInt64(max(0, Int64(bitPattern: word)))
    }
    guard let free = try counter(zones, "NR_FREE_PAGES"),
      let inactive = try counter(nodes, "NR_INACTIVE_FILE"),
      let active = try counter(nodes, "NR_ACTIVE_FILE"),
      let mapped = try counter(nodes, "NR_FILE_MAPPED"),
      let dirty = try counter(nodes, "NR_FILE_DIRTY"),
      let writeback = try counter(nodes, "NR_WRITEBACK"), let swapRoom = try value(at: swap)
    else { throw unknown }
    let (files, used) = (inactive &+ active, mapped &+ dirty &+ writeback)
    self.free = free
    cleanCache = files > used ? files - used : 0
    self.swapRoom = swapRoom
  }
}
