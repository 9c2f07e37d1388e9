internal import CheckpointImage

/// What a page's own descriptor states, in one byte. Its meaning for the page may depend on other pages.
struct OwnState: Equatable, Sendable {
  private let byte: UInt8

  private init(_ byte: UInt8) { self.byte = byte }

  /// A page of this class, which may be the first of a compound page.
  static func used(_ class: PageClass, isHead: Bool = false) -> Self {
    Self(`class`.rawValue | (isHead ? 0x10 : 0))
  }

  /// Without references: part of a free block, or in reserve.
  static let idle = Self(0x20)

  /// The first of 2^order free pages.
  static func block(order: Int) -> Self { Self(0x40 | UInt8(order & 0x3f)) }

  /// A page inside a compound page, which begins where this many low bits of the PFN are zero.
  static func tail(bits: Int) -> Self { Self(0x80 | UInt8(bits & 0x3f)) }

  /// A page about which nothing is known.
  static let unknown = used(.unknown)

  /// The order of the free block that begins here; nil if none does.
  var order: Int? { byte & 0xc0 == 0x40 ? Int(byte & 0x3f) : nil }

  /// Whether it is a page of a compound page other than the first.
  var isTail: Bool { byte & 0x80 != 0 }

  /// The first page of the compound page that the page at `pfn` belongs to, if this is a tail.
  func head(of pfn: Int) -> Int { pfn & -(1 << Int(byte & 0x3f)) }

  /// Whether a compound page begins here.
  var isHead: Bool { byte & 0xf0 == 0x10 }

  /// The class, if the page is neither free nor a tail.
  var ownClass: PageClass {
    if self == .idle { return .perCPUList }
    return byte < 0x20 ? PageClass(rawValue: byte & 0xf) ?? .unknown : .unknown
  }
}

extension DescriptorLayout {
  /// The state according to a descriptor.
  ///
  /// - Parameter base: the address that the descriptor of page 0 would have.
  func state(of page: PageDescriptor, _ pfn: Int, base: UInt64) -> OwnState {
    if page.compound & 1 != 0 { return tail(pfn, pfn, page.compound, base) }
    guard page.flags & flags.head != 0 else { return single(page, pfn) }
    // A kernel that saves the descriptors of huge pages maps those of the first pages repeatedly. What looks
    // like a first page is one only if the next page belongs to it.
    guard let head = head(pfn + 1, page.nextCompound, base) else { return .unknown }
    if head == pfn { return .used(pageClass(page), isHead: true) }
    return head < pfn ? tail(pfn, pfn + 1, page.nextCompound, base) : .unknown
  }

  /// The state of a page outside of compound pages.
  private func single(_ page: PageDescriptor, _ pfn: Int) -> OwnState {
    if page.type == types.buddy {
      let order = Int(truncatingIfNeeded: min(page.privateData, 64))
      guard page.references == 0, order < orders, pfn & ((1 << order) - 1) == 0,
        page.flags & (flags.lru | flags.slab | flags.reserved | flags.poisoned) == 0
      else { return .unknown }
      return .block(order: order)
    }
    if page.references == 0, page.type == PageTypes.none, page.flags & flags.all == 0,
      page.mapping == 0
    {
      return .idle
    }
    return .used(pageClass(page))
  }

  /// The first page of the compound page that `pfn` belongs to; nil if there is none, or the value is
  /// impossible.
  private func head(_ pfn: Int, _ compound: UInt64, _ base: UInt64) -> Int? {
    guard compound & 1 != 0 else { return nil }
    let size = UInt64(byteCount)
    var address = compound & ~1
    // Since Linux 7.1 the field may be a mask for the descriptor's own address instead of the other's address:
    // ones, followed by zeros for the descriptors of the compound page. Nothing can be mapped at such an
    // address.
    let below = 0 &- address
    if below & (below &- 1) == 0, below <= 1 << 32 { address &= base &+ UInt64(pfn) &* size }
    let distance = address &- base
    guard distance % size == 0, distance / size < UInt64(pfn) else { return nil }
    return Int(distance / size)
  }

  private func tail(_ pfn: Int, _ place: Int, _ compound: UInt64, _ base: UInt64) -> OwnState {
    guard let head = head(place, compound, base), head < pfn else { return .unknown }
    let bits = Int.bitWidth - (pfn ^ head).leadingZeroBitCount
    return pfn & -(1 << bits) == head ? .tail(bits: bits) : .unknown
  }

  /// The class of a page in use.
  private func pageClass(_ page: PageDescriptor) -> PageClass {
    if page.flags & flags.poisoned != 0 { return .offline }
    if PageTypes.isType(page.type) {
      if types.matches(page.type, types.offline) { return .balloon }
      if types.matches(page.type, types.slab) { return .slab }
      if types.tables.contains(where: { types.matches(page.type, $0) }) { return .pageTable }
      if page.isHugeTLB { return hugeTLBClass(page) }
      return page.type == types.buddy ? .unknown : .kernelOther
    }
    if page.flags & flags.slab != 0 { return .slab }
    if page.isHugeTLB { return hugeTLBClass(page) }
    if page.flags & flags.reserved != 0 { return .reserved }
    if page.references == 0 { return .unknown }
    // The lower bits of the field say what it points to.
    switch page.mapping & 3 {
    case 1, 3: return .anonymous
    case 2: return .kernelOther
    default: break
    }
    if page.flags & flags.swapBacked != 0 {
      if page.mapping != 0 { return .sharedMemory }
      if page.flags & flags.swapCache != 0 { return .anonymous }
    }
    guard page.mapping != 0, page.flags & (flags.lru | flags.upToDate) != 0 else {
      return .kernelOther
    }
    return cacheClass(page)
  }

  /// Free pages of hugetlbfs have no references either, but do not belong to the page allocator.
  private func hugeTLBClass(_ page: PageDescriptor) -> PageClass {
    if page.references == 0 { return .perCPUList }
    return page.mapping & 1 != 0 ? .anonymous : .sharedMemory
  }

  private func cacheClass(_ page: PageDescriptor) -> PageClass {
    guard flags.recognisesClean else { return .unknown }
    if page.flags & (flags.dirty | flags.writeback) != 0 { return .cacheDirty }
    // Buffers may be dirty although the page is not.
    if page.flags & (flags.privateData | flags.privateData2 | flags.swapCache) != 0 {
      return .privateCache
    }
    return isClean(page, buffered: false) ? .cacheClean : .cacheMapped
  }

  /// Whether a page of the cache is unmapped and idle.
  ///
  /// - Parameter buffered: its file system keeps buffers of it, and of nothing else.
  func isClean(_ page: PageDescriptor, buffered: Bool) -> Bool {
    // Buffers have up-to-date flags of their own; that of the page may be unset.
    let used = flags.lru | (buffered ? flags.privateData : flags.upToDate)
    let inUse =
      flags.locked | flags.unevictable | flags.locksMemory | flags.privateData
      | flags.privateData2 | flags.swapCache
    // The page cache holds one reference per page, buffers one, and every mapping another. This holds for large
    // folios in all versions, although their mapping counts differ.
    return page.flags & (used | inUse) == used && page.type == PageTypes.none && page.order < 20
      && page.references == 1 << UInt32(page.order) + (buffered ? 1 : 0)
      && (!buffered || page.order == 0)
  }
}
