/// The bits of a descriptor's flags, each as a mask. One that the kernel does not have, or does not tell, is 0.
struct PageFlags: Sendable {
  let lru, head, privateData, privateData2, swapBacked, swapCache, slab, poisoned: UInt64
  let dirty, writeback, upToDate, locked, unevictable, locksMemory, reserved: UInt64
  /// All bits that say something of the page itself, none of which an unused page has.
  let all: UInt64
  /// Whether the bits are known without which no page can be said to be as on disk.
  let tellClean: Bool

  /// - Parameter bit: the number of a flag.
  init(_ bit: (String) -> Int64?, headMask: Int64?) {
    func mask(_ name: String) -> UInt64 {
      guard let bit = bit(name), (0..<64).contains(bit) else { return 0 }
      return 1 << UInt64(bit)
    }
    lru = mask("PG_lru")
    head = headMask.map { UInt64(bitPattern: $0) } ?? mask("PG_head")
    privateData = mask("PG_private")
    privateData2 = mask("PG_private_2")
    swapBacked = mask("PG_swapbacked")
    swapCache = mask("PG_swapcache")
    slab = mask("PG_slab")
    poisoned = mask("PG_hwpoison")
    dirty = mask("PG_dirty")
    writeback = mask("PG_writeback")
    upToDate = mask("PG_uptodate")
    locked = mask("PG_locked")
    unevictable = mask("PG_unevictable")
    locksMemory = mask("PG_mlocked")
    reserved = mask("PG_reserved")
    let end = mask("__NR_PAGEFLAGS")
    let named =
      lru | head | privateData | privateData2 | swapBacked | swapCache | slab | poisoned | dirty
      | writeback | locked | unevictable | locksMemory | reserved
    all = named | (end == 0 ? 0 : end - 1)
    tellClean = ![lru, privateData, swapBacked, dirty, writeback, upToDate, locked, unevictable]
      .contains(0)
  }
}
