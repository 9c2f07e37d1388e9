internal import CheckpointCodec
package import CheckpointImage

/// What a Linux kernel counts of its memory, in pages. Numbers of a running guest may be off by a few pages for each
/// processor.
package struct MemoryCounters: Equatable, Sendable {
  /// In the page allocator, used for nothing.
  package var free: UInt64
  /// Contents of files as they are on disk, that no process has mapped.
  package var cleanCache: UInt64
  /// Room that is left in its swap space.
  package var swapRoom: UInt64

  /// These numbers.
  package init(free: UInt64, cleanCache: UInt64, swapRoom: UInt64) {
    self.free = free
    self.cleanCache = cleanCache
    self.swapRoom = swapRoom
  }

  /// Reads them. As counters change while they are read, none is taken for less than 0.
  ///
  /// - Throws: `.refused` if the kernel does not tell where they are.
  package init(_ guest: LinuxGuest) throws(CheckpointError) {
    let unknown = CheckpointError(.refused, "the kernel does not tell where its counters are")
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
