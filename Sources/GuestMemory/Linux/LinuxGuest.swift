package import CheckpointCodec
package import CheckpointImage

/// A Linux kernel for x86-64 that was recognised in a guest's memory.
package final class LinuxGuest {
  /// The guest's memory.
  package let memory: any PhysicalMemory
  /// The kernel's description of itself.
  package let information: VMCoreInfo
  /// What is wrong with the text that the source carries, if another one was found to fit.
  package internal(set) var unfittingNote: String?
  /// The kernel's own page tables.
  package let tables: KernelPageTables
  let pages: CachedPages
  /// The outer nil means that they were not searched for yet.
  private var symbols: KernelSymbols??
  private var typeInformation: TypeInformation??

  /// Accepts the text if the tables that it names map the kernel where it states.
  ///
  /// - Throws: `.refused` with what does not match.
  init(_ information: VMCoreInfo, in memory: any PhysicalMemory, _ pages: CachedPages)
    throws(CheckpointError)
  {
    self.memory = memory
    self.information = information
    self.pages = pages
    guard information.pageSize == UInt64(Limits.pageSize),
      let top = information.symbol("swapper_pg_dir"), let text = information.symbol("_stext"),
      let base = information.number("phys_base"),
      let root = Self.physical(top, base), let code = Self.physical(text, base)
    else {
      throw CheckpointError(
        .refused, "it does not say where an x86-64 kernel and its page tables are",
        structure: "VMCOREINFO")
    }
    tables = KernelPageTables(
      root: root, levels: information.number("pgtable_l5_enabled") == 1 ? 5 : 4,
      encryption: UInt64(bitPattern: information.number("sme_mask") ?? 0))
    guard try tables.walk(text, pages)?.physical == code else {
      throw CheckpointError(
        .refused, "the page tables it names do not map the kernel", structure: "VMCOREINFO")
    }
  }

  /// The virtual address of the kernel image that lies at `phys_base`.
  static let imageBase: UInt64 = 0xffff_ffff_8000_0000

  /// The physical address of a part of the kernel image.
  private static func physical(_ virtual: UInt64, _ base: Int64) -> UInt64? {
    guard virtual >= imageBase else { return nil }
    let physical = (virtual - imageBase) &+ UInt64(bitPattern: base)
    return physical >> 12 < Limits.pfnEnd ? physical : nil
  }

  /// The physical address of a virtual one by the kernel's page tables; nil if nothing is mapped.
  package func translate(_ virtual: UInt64) throws(CheckpointError) -> UInt64? {
    try tables.walk(virtual, pages)?.physical
  }

  /// The mapping of a virtual address by the kernel's page tables; `visit` takes the frame of each table on the
  /// path.
  package func mapping(of virtual: UInt64, visit: (PFN) -> Void = { _ in }) throws(CheckpointError)
    -> KernelPageTables.Mapping?
  {
    try tables.walk(virtual, pages, visit: visit)
  }

  /// The most bytes that `bytes(at:count:)` reads at once.
  package static let longestRead = 32 << 20

  /// Bytes of kernel memory; nil if any of them is unmapped or unknown.
  package func bytes(at virtual: UInt64, count: Int) throws(CheckpointError) -> [UInt8]? {
    guard count >= 0, count <= Self.longestRead else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      let (place, overflow) = virtual.addingReportingOverflow(UInt64(bytes.count))
      guard !overflow, let run = try run(at: place, count: count - bytes.count) else { return nil }
      let isWithinPage = Int(run.physical & 0xfff) + run.count <= Limits.pageSize
      let isKnown =
        isWithinPage
        ? try pages.append(run.count, at: run.physical, to: &bytes)
        : try pages.appendRun(run.count, at: run.physical, to: &bytes)
      guard isKnown else { return nil }
    }
    return bytes
  }

  /// As many of these bytes as are physically contiguous: a PV guest's tables map each page separately.
  private func run(at virtual: UInt64, count: Int) throws(CheckpointError) -> (
    physical: UInt64, count: Int
  )? {
    guard let first = try tables.walk(virtual, pages) else { return nil }
    var length = min(count, Int(first.byteCount))
    while length < count {
      let (place, overflow) = virtual.addingReportingOverflow(UInt64(length))
      guard !overflow, let next = try tables.walk(place, pages),
        next.physical == first.physical + UInt64(length)
      else { break }
      length = min(count, length + Int(next.byteCount))
    }
    return (first.physical, length)
  }

  /// Drops cached pages, so that the changed memory of a running guest is read again.
  package func refresh() { pages.refresh() }

  /// The virtual address of a symbol; nil if it is unknown or ambiguous.
  package func symbol(_ name: String) throws(CheckpointError) -> UInt64? {
    if let address = information.symbol(name) { return address }
    if symbols == nil { symbols = .some(try KernelSymbols(self)) }
    return symbols??.address(name)
  }

  /// The kernel's type information; nil if it has no BTF.
  package var types: TypeInformation? {
    get throws(CheckpointError) {
      if typeInformation == nil { typeInformation = .some(try findTypes()) }
      return typeInformation ?? nil
    }
  }

  /// Facts about the guest.
  package var facts: GuestFacts {
    get throws(CheckpointError) { try GuestFacts(self) }
  }

  /// The most places with the magic number of BTF that are examined, and the most of these with a plausible
  /// header.
  private static let mostMatches = 1024
  private static let mostTries = 4

  /// BTF of modules lies outside of the kernel image and would not describe page descriptors.
  private func findTypes() throws(CheckpointError) -> TypeInformation? {
    var found: TypeInformation?
    var matches = 0
    var tries = 0
    try image().search(TypeInformation.magic, pages) { (place) throws(CheckpointError) in
      matches += 1
      guard matches <= Self.mostMatches else { return true }
      guard let header = try bytes(at: place, count: TypeInformation.headerSize),
        let count = TypeInformation.byteCount(header: header)
      else { return false }
      tries += 1
      if let whole = try bytes(at: place, count: count), let types = TypeInformation(whole),
        let size = types.size("page"), information.size("page") == UInt64(size)
      {
        found = types
      }
      return found != nil || tries == Self.mostTries
    }
    return found
  }

  func image() throws(CheckpointError) -> KernelImage { try KernelImage(tables, pages) }
}
