internal import CheckpointImage

/// The layout of page descriptors as the kernel describes it, in VMCOREINFO and, for what that lacks, its type
/// information.
struct DescriptorLayout: Sendable {
  /// The size of a descriptor in bytes.
  let byteCount: Int
  let flags: PageFlags
  var types: PageTypes
  /// Blocks of free pages have orders below this.
  let orders: Int

  private let flagsOffset, referencesOffset, typeOffset: Int
  private let mappingOffset, privateOffset, compoundOffset: Int
  /// The offset of a compound page's order in its second descriptor.
  private let orderOffset: Int?
  private let hugeTLB: HugeTLBMark?

  /// How pages of hugetlbfs are distinguished from other compound pages.
  private enum HugeTLBMark {
    /// By a type of the first page.
    case type(UInt32)
    /// By a flag of the second page.
    case flag(UInt64)
    /// By a byte of the second page.
    case destructor(offset: Int, value: UInt8)
  }

  /// - Parameter typeInformation: supplies what VMCOREINFO lacks; without it, that is unknown.
  /// - Throws: `.refused` if the kernel does not state what is required.
  init(_ information: VMCoreInfo, _ typeInformation: TypeInformation?) throws(CheckpointError) {
    let enumerator = { typeInformation?.enumerator($0) }
    func fail(_ name: String) -> CheckpointError {
      CheckpointError(.refused, "the kernel does not describe its page descriptors: \(name)")
    }
    guard let size = information.size("page"), size % 8 == 0, (32...1024).contains(size) else {
      throw fail("SIZE(page)")
    }
    let byteCount = Int(size)
    func field(_ name: String, _ width: Int) -> Int? {
      guard let offset = information.offset(name), offset <= UInt64(byteCount - width) else {
        return nil
      }
      return Int(offset)
    }
    func required(_ name: String, _ width: Int) throws(CheckpointError) -> Int {
      guard let offset = field(name, width) else { throw fail("OFFSET(\(name))") }
      return offset
    }
    self.byteCount = byteCount
    flagsOffset = try required("page.flags", 8)
    referencesOffset = try required("page._refcount", 4)
    typeOffset = try required("page._mapcount", 4)
    mappingOffset = try required("page.mapping", 8)
    privateOffset = try required("page.private", 8)
    // Renamed in Linux 7.1.
    guard let compound = field("page.compound_head", 8) ?? field("page.compound_info", 8) else {
      throw fail("OFFSET(page.compound_head)")
    }
    compoundOffset = compound

    let flags = PageFlags(
      { information.number($0) ?? enumerator($0) },
      headMask: information.number("PG_head_mask"))
    guard flags.head != 0, flags.lru != 0 else {
      throw fail("NUMBER(PG_head_mask), NUMBER(PG_lru)")
    }
    guard let types = PageTypes(number: information.number, enumerator: enumerator) else {
      throw fail("NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)")
    }
    self.flags = flags
    self.types = types
    orders = Int(min(information.length("zone.free_area") ?? 0, 17))

    func second(_ folio: String, _ page: String) -> Int? {
      if let offset = information.offset(folio) {
        return offset >= size && offset < 2 * size ? Int(offset - size) : nil
      }
      return field(page, 1)
    }
    if let type = types.hugeTLB {
      hugeTLB = .type(type)
      orderOffset = flagsOffset
    } else if let bit = information.number("PG_hugetlb"), (0..<64).contains(bit) {
      hugeTLB = .flag(1 << UInt64(bit))
      orderOffset = flagsOffset
    } else {
      orderOffset = second("folio._folio_order", "page.compound_order")
      if let value = information.number("HUGETLB_PAGE_DTOR"),
        let offset = second("folio._folio_dtor", "page.compound_dtor")
      {
        hugeTLB = .destructor(offset: offset, value: UInt8(truncatingIfNeeded: value))
      } else {
        hugeTLB = nil
      }
    }
  }

  /// Reads a descriptor.
  ///
  /// - Parameter offset: a multiple of `byteCount`; the descriptor is inside `bytes`.
  @inline(__always)
  func descriptor(in bytes: RawSpan, at offset: Int) -> PageDescriptor {
    var page = PageDescriptor(
      flags: u64(bytes, offset + flagsOffset), mapping: u64(bytes, offset + mappingOffset),
      privateData: u64(bytes, offset + privateOffset),
      compound: u64(bytes, offset + compoundOffset),
      references: u32(bytes, offset + referencesOffset), type: u32(bytes, offset + typeOffset))
    let next = offset + byteCount
    if page.flags & flags.head != 0, page.compound & 1 == 0, next < bytes.byteCount {
      page.nextCompound = u64(bytes, next + compoundOffset)
      if let orderOffset { page.order = u8(bytes, next + orderOffset) }
      page.isHugeTLB =
        switch hugeTLB {
        case .type(let type): types.matches(page.type, type)
        case .flag(let flag): u64(bytes, next + flagsOffset) & flag != 0
        case .destructor(let offset, let value): u8(bytes, next + offset) == value
        case nil: false
        }
    }
    return page
  }

  // SAFETY of these: the loads check bounds; all offsets are inside a descriptor.
  @inline(__always)
  private func u64(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  @inline(__always)
  private func u32(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
    UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  @inline(__always)
  private func u8(_ bytes: RawSpan, _ offset: Int) -> UInt8 {
    unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
}
