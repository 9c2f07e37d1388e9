/// The bits of a descriptor's flags, as masks; 0 for a flag that the kernel does not have or does not state.
struct PageFlags: Sendable {
  let lru, head, privateData, privateData2, swapBacked, swapCache, slab, poisoned: UInt64
  let dirty, writeback, upToDate, locked, unevictable, locksMemory, reserved: UInt64
  /// All bits that concern the page itself, none of which a free page has.
  let all: UInt64
  /// Whether all flags are known that are needed to recognise clean pages.
  let recognisesClean: Bool

  /// - Parameter bit: returns the number of a flag.
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
    recognisesClean = ![
      lru, privateData, swapBacked, dirty, writeback, upToDate, locked, unevictable,
    ]
    .contains(0)
  }
}
