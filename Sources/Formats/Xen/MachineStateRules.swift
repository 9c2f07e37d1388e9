internal import CheckpointImage

/// Consistency of the records of a moment with its pages, as Xen's restore requires it
/// (`xg_sr_restore_x86_pv.c` and `xg_sr_restore_x86_hvm.c`). `LibxcStream` has already checked each record
/// alone.
struct MachineStateRules {
  /// A limit on findings: one record may contain millions of wrong numbers.
  static let mostProblems = 1000
  /// Guest-physical addresses have at most 52 bits.
  private static let pfnEnd: PFN = 1 << 40
  private static let basicHead = 8
  private static let basic64 = 5168

  private var types = PageTypeMap()
  private var highest: PFN?
  private var sawP2M = false
  private var sawStray = false
  /// The pages with the guest's P2M table, and the last PFN it covers.
  private var p2mFrames: [PFN] = []
  private var p2mEnd: PFN = 0
  private var levels: UInt8 = 4

  /// The number of blocks of 512 pages with a populated page.
  var blockCount: Int { types.blockCount }

  /// Records a populated page; returns a problem, or nil.
  mutating func populate(_ pfn: PFN, _ type: PageType, isPV: Bool) -> String? {
    types[pfn] = type
    highest = max(highest ?? 0, pfn)
    guard !sawStray else { return nil }
    let problem: String? =
      if isPV, !sawP2M {
        "PFN \(pfn) comes before X86_PV_P2M_FRAMES"
      } else if isPV, pfn > p2mEnd {
        "PFN \(pfn) lies beyond the end of the P2M table, \(p2mEnd)"
      } else if pfn >= Self.pfnEnd {
        "PFN \(pfn) lies beyond the end of any guest's memory"
      } else {
        nil
      }
    sawStray = problem != nil
    return problem
  }

  /// Checks a record; returns the problems.
  mutating func take(_ record: MachineRecord) -> [String] {
    guard record.key.namespace == .libxc, let body = record.payload,
      let type = XenStream.LibxcType(rawValue: record.key.type)
    else { return [] }
    switch type {
    case .pvInfo:
      levels = body[1]
      return []
    case .pvP2MFrames:
      sawP2M = true
      p2mEnd = PFN(body.u32(4))
      p2mFrames = stride(from: 8, to: body.count - 7, by: 8).map { body.u64($0) }
      return []
    case .pvVCPUBasic: return vcpu(body)
    case .hvmContext: return hvmContext(body)
    case .hvmParams: return specialPages(body)
    default: return []
    }
  }

  /// The problems that show at the end of a moment, when all pages are known.
  func end() -> [String] {
    Array(p2mFrames.lazy.compactMap { ordinary($0, "P2M frame") }.prefix(Self.mostProblems))
  }

  private func vcpu(_ body: [UInt8]) -> [String] {
    let id = body.u32(0)
    // The context of a 32-bit guest has another layout.
    guard body.count == Self.basicHead + Self.basic64 else { return [] }
    func word(_ offset: Int) -> UInt64 { body.u64(Self.basicHead + offset) }
    var problems: [String?] = []
    if id == 0 { problems.append(ordinary(word(616), "start_info of vCPU 0")) }
    let descriptors = word(4960)
    if descriptors > 7168 {
      problems.append("vCPU \(id): \(descriptors) GDT entries, Xen takes at most 7168")
    } else {
      for frame in 0..<Int((descriptors + 511) / 512) {
        problems.append(ordinary(word(4832 + 8 * frame), "GDT frame \(frame) of vCPU \(id)"))
      }
    }
    problems.append(table(word(5008) >> 12, "CR3 of vCPU \(id)"))
    let userTable = word(4992)
    if userTable & 1 != 0 { problems.append(table(userTable >> 12, "user CR3 of vCPU \(id)")) }
    return problems.compactMap { $0 }
  }

  /// Xen's restore reads the header first, and requires at least the state of vCPU 0.
  private func hvmContext(_ body: [UInt8]) -> [String] {
    guard let context = try? HVMContext(body), let header = context.entries.first else { return [] }
    var problems: [String] = []
    let data = context.data(header)
    if data.count < 8 || data.u32(0) != 0x5438_1286 || data.u32(4) != 1 {
      problems.append("HVM context: its header does not have Xen's magic and version")
    }
    // The length grew with Xen 3.4 and 4.7.
    let lengths = [1016, 1024, 1032]
    let cpus = context.entries.filter { $0.type == HVMContext.cpu }
    for cpu in cpus where !lengths.contains(cpu.data.count) {
      problems.append(
        "HVM context: state of vCPU \(cpu.instance) of \(cpu.data.count) bytes, expected 1032")
    }
    if !cpus.contains(where: { $0.instance == 0 }) {
      problems.append("HVM context: no state of vCPU 0")
    }
    return problems
  }

  private func ordinary(_ pfn: PFN, _ what: String) -> String? {
    guard let type = types[pfn] else { return "\(what): PFN \(pfn) is not populated" }
    return type == 0 ? nil : "\(what): PFN \(pfn) is a page table (type \(type))"
  }

  private func table(_ pfn: PFN, _ what: String) -> String? {
    guard let type = types[pfn] else { return "\(what): PFN \(pfn) is not populated" }
    return type & 7 == levels
      ? nil : "\(what): PFN \(pfn) has type \(type), expected a level \(levels) page table"
  }

  /// The pages that the toolstack shares with the guest must be populated; their contents are written anew.
  private func specialPages(_ body: [UInt8]) -> [String] {
    let names: [UInt64: String] = [
      1: "STORE_PFN", 5: "IOREQ_PFN", 6: "BUFIOREQ_PFN", 17: "CONSOLE_PFN",
    ]
    let problems = stride(from: 8, to: body.count - 15, by: 16).lazy.compactMap {
      offset -> String? in
      let pfn = body.u64(offset + 8)
      guard let name = names[body.u64(offset)], pfn != 0, types[pfn] == nil else { return nil }
      return "\(name): PFN \(pfn) is not populated"
    }
    return Array(problems.prefix(Self.mostProblems))
  }
}
