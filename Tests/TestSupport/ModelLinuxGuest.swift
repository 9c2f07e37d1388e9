package import CheckpointImage

/// A Linux guest of 32 MiB with page tables, VMCOREINFO and page descriptors, and nothing else. What its pages are used
/// for is made up, and known.
package final class ModelLinuxGuest {
  /// How its kernel encodes what changed over the years.
  package struct Encoding: Sendable, CustomStringConvertible {
    /// Bytes of a descriptor.
    package var size = 64
    /// Page types are numbers in the upper byte (since Linux 6.12), and not cleared bits.
    package var hasTypeNumbers = false
    /// The pages of a compound page name the first one by a mask (since Linux 7.1), and not by its address.
    package var hasMasks = false

    package var description: String {
      "\(size) bytes, types as \(hasTypeNumbers ? "numbers" : "bits"), \(hasMasks ? "masks" : "addresses")"
    }

    package static let all = [
      Encoding(), Encoding(size: 72), Encoding(hasTypeNumbers: true),
      Encoding(hasTypeNumbers: true, hasMasks: true), Encoding(size: 80, hasTypeNumbers: true),
    ]
  }

  /// What pages are used for.
  package enum Use: CaseIterable, Sendable {
    case free, perCPUList, cacheClean, cacheDirty, cacheMapped, sharedMemory, privateCache
    case anonymous, slab, pageTable, kernelOther, reserved, balloon, offline
  }

  package static let pageCount = 8192
  /// The pages of the largest block of unused pages.
  package static let chunk = 1024
  /// Pages that the descriptors may be moved to.
  package static let spareFrames: Range<PFN> = 2000..<2300

  package let memory = ModelMemory(limit: PFN(pageCount))
  package let encoding: Encoding
  /// What each page is used for.
  package private(set) var uses = [Use](repeating: .reserved, count: pageCount)
  /// The first page of what each page belongs to.
  package private(set) var starts = Array(0..<pageCount)
  private var descriptors: [UInt8]
  private var frames: [PFN]
  private var nextTable: PFN = 16

  private static let image: UInt64 = 0xffff_ffff_8000_0000
  private static let base: UInt64 = 0x20_0000
  private static let root: UInt64 = 0xa0_0000
  private static let code = image + 0x60_0000
  private static let sectionRoots = image + 0x90_0000
  private static let array: UInt64 = 0xffff_ea00_0000_0000

  package init(_ encoding: Encoding = Encoding()) {
    self.encoding = encoding
    descriptors = [UInt8](repeating: 0, count: Self.pageCount * encoding.size)
    frames = (0..<PFN(descriptors.count / Limits.pageSize)).map { 1024 + $0 }
    memory[u64: Self.root] = 0
    map(Self.code, to: Self.base + 0x60_0000)
    // SPARSEMEM_EXTREME: a table of pointers to pages of sections of 16 MiB.
    map(Self.sectionRoots, to: 0x3f_0000)
    map(Self.sectionRoots + 0x1000, to: 0x3f_1000)
    memory[u64: 0x3f_0000] = Self.sectionRoots + 0x1000
    for section in 0..<2 { memory[u64: 0x3f_1000 + UInt64(section) * 32] = Self.array | 0xf }
    for (place, frame) in frames.enumerated() {
      map(Self.array + UInt64(place) << 12, to: frame << 12)
    }
    memory.write(text, at: 0x7_0000)
    store()
  }

  /// Has the kernel describe 1 TiB of memory, although there is no more than before.
  package func describeFarTooMuch() {
    memory.there = [0..<PFN(Self.pageCount)]
    memory.limit = 1 << 28
    memory[u64: 0x3f_0000 + 511 * 8] = memory[u64: 0x3f_0000]
  }

  private func map(_ virtual: UInt64, to physical: UInt64) {
    memory.map(virtual, to: physical, root: Self.root, levels: 4, free: &nextTable)
  }

  /// Has the page tables name another frame for a part of the descriptors, which are copied there, or may be.
  package func move(_ place: Int, to frame: PFN) {
    let place = place % frames.count
    frames[place] = frame
    map(Self.array + UInt64(place) << 12, to: frame << 12)
    store()
  }

  /// The page with a page's descriptor.
  package func frame(of pfn: Int) -> PFN { frames[pfn * encoding.size / Limits.pageSize] }

  /// Writes the descriptors that changed to memory.
  package func store() {
    for (place, frame) in frames.enumerated() {
      let page = Array(descriptors[place << 12..<(place + 1) << 12])
      if memory.pages[frame] != page { memory.pages[frame] = page }
    }
  }

  /// Changes a byte of a descriptor; what the page is used for stays.
  package func spoil(_ pfn: Int, _ offset: Int, _ value: UInt8) {
    descriptors[pfn * encoding.size + offset % encoding.size] = value
  }

  /// Uses all pages anew, by chance.
  package func fill(_ random: inout SplitMix64) {
    for chunk in 0..<Self.pageCount / Self.chunk { fill(chunk: chunk, &random) }
  }

  /// Uses the pages of a chunk anew, by chance.
  package func fill(chunk: Int, _ random: inout SplitMix64) {
    var pfn = chunk * Self.chunk
    let end = pfn + Self.chunk
    if pfn == 0 {
      // The model's own page tables are here.
      use(0, 6, .reserved, &random)
      pfn = 64
    }
    while pfn < end {
      let most = min(10, pfn.trailingZeroBitCount)
      var order = Int.random(in: 0...most, using: &random)
      while 1 << order > end - pfn { order -= 1 }
      use(pfn, order, Use.allCases.randomElement(using: &random) ?? .free, &random)
      pfn += 1 << order
    }
  }

  /// Uses 2^order pages.
  package func use(_ pfn: Int, _ order: Int, _ use: Use, _ random: inout SplitMix64) {
    let isCompound: Bool
    switch use {
    case .perCPUList, .reserved, .balloon, .offline, .free, .pageTable: isCompound = false
    default: isCompound = order > 0
    }
    for page in pfn..<pfn + 1 << order {
      uses[page] = use
      starts[page] = isCompound || use == .free ? pfn : page
      clear(page)
      if page == pfn || !(isCompound || use == .free) {
        describe(page, use, isCompound || use == .free ? order : 0, &random)
      } else if isCompound {
        let mask = 0 &- UInt64(encoding.size << order)
        set(page, 8, (encoding.hasMasks ? mask : address(pfn)) | 1)
      }
    }
    if isCompound {
      set(pfn, 0, get(pfn, 0) | Self.head)
      if encoding.hasTypeNumbers {
        set(pfn + 1, 0, UInt64(order))
      } else {
        descriptors[(pfn + 1) * encoding.size + 17] = UInt8(order)
      }
    }
  }

  /// Writes page tables into all pages that are used for them.
  package func storeTables() {
    for pfn in spare(.pageTable) {
      memory.pages[pfn] = nil
      for entry in 0..<8 {
        memory[u64: pfn << 12 | UInt64(entry * 48)] = UInt64(entry * 16) << 12 | 1 << 63 | 0x67
      }
    }
  }

  /// The pages of a use that hold nothing of the model itself.
  private func spare(_ use: Use) -> [PFN] {
    let own = Set(frames)
    return uses.indices.lazy.filter { self.uses[$0] == use && $0 > 2560 }.map { PFN($0) }
      .filter { !own.contains($0) }
  }

  /// Changes the descriptor of one page; what the page is used for stays.
  package func describeAlone(_ pfn: Int, _ use: Use, order: Int, _ random: inout SplitMix64) {
    clear(pfn)
    describe(pfn, use, order, &random)
  }

  private func describe(_ pfn: Int, _ use: Use, _ order: Int, _ random: inout SplitMix64) {
    let file = 0xffff_8880_0123_0000 + random.next() % 256 * 8
    let harmless = random.next() & 0b110_0010
    var references: UInt32 = 1
    var type: UInt32 = .max
    switch use {
    case .free:
      (references, type) = (0, types.buddy)
      set(pfn, 40, UInt64(order))
    case .perCPUList:
      references = 0
      set(pfn, 8, 0xffff_ea00_0001_0008)
    case .cacheClean, .cacheDirty, .cacheMapped, .privateCache, .sharedMemory, .anonymous:
      references = 1 << UInt32(order)
      set(pfn, 0, harmless | Self.lru | Self.upToDate)
      set(pfn, 24, file)
      switch use {
      case .cacheDirty: set(pfn, 0, get(pfn, 0) | (Bool.random(using: &random) ? 1 << 3 : 1 << 15))
      case .cacheMapped:
        type = Bool.random(using: &random) ? 0 : .max
        references += UInt32.random(in: 1...9, using: &random)
      case .privateCache:
        set(pfn, 0, get(pfn, 0) | 1 << 13)
        references += 1
      case .sharedMemory: set(pfn, 0, get(pfn, 0) | Self.swapBacked)
      case .anonymous:
        set(pfn, 0, get(pfn, 0) | Self.swapBacked)
        set(pfn, 24, file | 1)
        type = 0
      default: break
      }
    case .slab:
      set(pfn, 24, file)
      if encoding.hasTypeNumbers { type = types.slab } else { set(pfn, 0, 1 << 9) }
    case .pageTable: type = types.table
    case .kernelOther: set(pfn, 40, random.next())
    case .reserved: set(pfn, 0, 1 << 12)
    case .balloon: type = types.offline
    case .offline: set(pfn, 0, 1 << 23)
    }
    set(pfn, 48, UInt64(type) | UInt64(references) << 32)
  }

  private var types: (buddy: UInt32, offline: UInt32, table: UInt32, slab: UInt32) {
    encoding.hasTypeNumbers
      ? (0xf000_0000, 0xf100_0000, 0xf200_0000, 0xf500_0000) : (~0x80, ~0x100, ~0x200, ~0x1000)
  }

  private func address(_ pfn: Int) -> UInt64 { Self.array + UInt64(pfn * encoding.size) }

  private func clear(_ pfn: Int) {
    for offset in 0..<encoding.size { descriptors[pfn * encoding.size + offset] = 0 }
    set(pfn, 48, UInt64(UInt32.max))
  }

  private func set(_ pfn: Int, _ offset: Int, _ value: UInt64) {
    let place = pfn * encoding.size + offset
    for byte in 0..<8 {
      descriptors[place + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
    }
  }

  private func get(_ pfn: Int, _ offset: Int) -> UInt64 {
    let place = pfn * encoding.size + offset
    return (0..<8).reduce(0) { $0 | UInt64(descriptors[place + $1]) << UInt64(8 * $1) }
  }

  private static let upToDate: UInt64 = 1 << 2
  private static let lru: UInt64 = 1 << 4
  private static let head: UInt64 = 1 << 16
  private static let swapBacked: UInt64 = 1 << 19

  /// What the kernel says of itself.
  package var text: [UInt8] {
    func hexadecimal(_ address: UInt64) -> String { String(address, radix: 16) }
    let encoded =
      encoding.hasTypeNumbers
      ? "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=\(0xf400_0000)\nNUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=\(types.slab)"
      : "NUMBER(PG_slab)=9\nOFFSET(page.compound_order)=17\nOFFSET(page.compound_dtor)=16\nNUMBER(HUGETLB_PAGE_DTOR)=2"
    return Array(
      """
      OSRELEASE=6.1.0-model
      PAGESIZE=4096
      SYMBOL(swapper_pg_dir)=\(hexadecimal(Self.image + Self.root - Self.base))
      SYMBOL(_stext)=\(hexadecimal(Self.code))
      SYMBOL(mem_section)=\(hexadecimal(Self.sectionRoots))
      LENGTH(mem_section)=32768
      SIZE(mem_section)=32
      OFFSET(mem_section.section_mem_map)=0
      NUMBER(SECTION_SIZE_BITS)=24
      NUMBER(MAX_PHYSMEM_BITS)=46
      SIZE(page)=\(encoding.size)
      OFFSET(page.flags)=0
      OFFSET(page._refcount)=52
      OFFSET(page.mapping)=24
      OFFSET(page._mapcount)=48
      OFFSET(page.private)=40
      OFFSET(page.\(encoding.hasMasks ? "compound_info" : "compound_head"))=8
      LENGTH(zone.free_area)=11
      NUMBER(PG_locked)=0
      NUMBER(PG_uptodate)=2
      NUMBER(PG_dirty)=3
      NUMBER(PG_lru)=4
      NUMBER(PG_swapcache)=10
      NUMBER(PG_reserved)=12
      NUMBER(PG_private)=13
      NUMBER(PG_private_2)=14
      NUMBER(PG_writeback)=15
      NUMBER(PG_head_mask)=65536
      NUMBER(PG_swapbacked)=19
      NUMBER(PG_unevictable)=20
      NUMBER(PG_mlocked)=21
      NUMBER(PG_hwpoison)=23
      NUMBER(__NR_PAGEFLAGS)=26
      NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=\(Int32(bitPattern: types.buddy))
      NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=\(Int32(bitPattern: types.offline))
      \(encoded)
      NUMBER(phys_base)=\(Self.base)
      NUMBER(pgtable_l5_enabled)=0

      """.utf8)
  }
}
