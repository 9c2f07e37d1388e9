package import CheckpointCodec
package import CheckpointImage

/// The pages of a Xen guest that a restore writes to or that the guest shares with others. They are never
/// evicted, whatever the guest uses them for.
package enum ProtectedPages {
  private static let longestTable = 1 << 20

  /// Their PFNs, from the records of the machine's state: P2M frames, start_info and what it refers to, GDT
  /// frames and top page tables of a PV guest; the special pages of an HVM guest.
  ///
  /// - Parameter memory: the memory in which start_info is read.
  package static func pfns(_ records: [MachineRecord], in memory: (any PhysicalMemory)?)
    throws(CheckpointError) -> Set<PFN>
  {
    var pfns: Set<PFN> = []
    for record in records where record.key.namespace == .libxc {
      guard let payload = record.payload else { continue }
      switch XenStream.LibxcType(rawValue: record.key.type) {
      case .pvP2MFrames: try addTable(payload, to: &pfns)
      case .pvVCPUBasic: try addVCPU(payload, memory, to: &pfns)
      case .hvmParams: try addParameters(payload, to: &pfns)
      default: break
      }
    }
    return pfns
  }

  private static func addTable(_ payload: [UInt8], to pfns: inout Set<PFN>) throws(CheckpointError)
  {
    try WireReader.read(payload, "X86_PV_P2M_FRAMES") { (reader) throws(CheckpointError) in
      try reader.skip(8)
      var count = 0
      while reader.remaining > 0 {
        try reader.limit(count, to: longestTable)
        pfns.insert(try reader.read())
        count += 1
      }
    }
  }

  private static func addVCPU(
    _ payload: [UInt8], _ memory: (any PhysicalMemory)?, to pfns: inout Set<PFN>
  ) throws(CheckpointError) {
    let vcpu = try VCPU(pv: payload)
    let isWide = vcpu.general.contains { $0.name == "rip" }
    for (name, value) in vcpu.tables where name.hasPrefix("gdt_frame_") { pfns.insert(value) }
    for (name, value) in vcpu.control {
      switch name {
      case "cr3": pfns.insert(isWide ? value >> 12 : (value >> 12 | value << 20) & 0xffff_ffff)
      // Xen keeps the page table of user mode here.
      case "cr1" where isWide && value & 1 != 0: pfns.insert(value >> 12)
      default: break
      }
    }
    let startInfo = vcpu.general.first { $0.name == (isWide ? "rdx" : "edx") }
    guard vcpu.id == 0, let page = startInfo?.value else { return }
    pfns.insert(page)
    guard let memory, page < memory.limit else { return }
    let buffer = PageBuffer(pages: 1)
    guard try memory.copy([page], to: buffer, at: 0).isEmpty else { return }
    // The rings of xenstore and console, where the guest left them for its restore.
    for offset in isWide ? [56, 72] : [44, 52] {
      let bytes = buffer.page(0)
      // SAFETY: the span checks the bounds.
      pfns.insert(
        isWide
          ? unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
          : UInt64(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }
  }

  /// Parameters whose value is a PFN; below, those whose value is an address.
  private static let pageParameters: Set<UInt64> = [1, 5, 6, 17, 27, 28, 29]
  private static let addressParameters: Set<UInt64> = [12, 15, 34]
  private static let sizedTSS: UInt64 = 37
  private static let (firstServerPage, serverPages): (UInt64, UInt64) = (32, 33)
  private static let mostServerPages: UInt64 = 64

  private static func addParameters(_ payload: [UInt8], to pfns: inout Set<PFN>)
    throws(CheckpointError)
  {
    var values: [UInt64: UInt64] = [:]
    try WireReader.read(payload, "HVM_PARAMS") { (reader) throws(CheckpointError) in
      let count = try reader.read(UInt32.self)
      try reader.skip(4)
      for place in 0..<Int(count) {
        try reader.limit(place)
        let index: UInt64 = try reader.read()
        values[index] = try reader.read()
      }
    }
    for (index, value) in values where value != 0 {
      if pageParameters.contains(index) { pfns.insert(value) }
      if addressParameters.contains(index) { pfns.insert(value >> 12) }
      // The upper half is the size.
      if index == sizedTSS { pfns.insert((value & 0xffff_ffff) >> 12) }
    }
    guard let first = values[firstServerPage], first != 0 else { return }
    for page in 0..<min(values[serverPages] ?? 0, mostServerPages) { pfns.insert(first &+ page) }
  }
}
