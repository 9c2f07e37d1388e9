#if Xen
internal import CXen
internal import CheckpointImage
internal import Formats

/// The machine state of an HVM or PVH guest besides its memory, as Xen's stream has it
/// (`libxc-migration-stream`: HVM_CONTEXT, HVM_PARAMS).
enum HVMState {
  /// The parameters a save asks for, in its order: `HVM_PARAM_*` in Xen's hvm/params.h.
  private static let saved: [Int32] = [
    HVM_PARAM_STORE_PFN, HVM_PARAM_IOREQ_PFN, HVM_PARAM_BUFIOREQ_PFN, HVM_PARAM_PAGING_RING_PFN,
    HVM_PARAM_MONITOR_RING_PFN, HVM_PARAM_SHARING_RING_PFN, HVM_PARAM_VM86_TSS_SIZED,
    HVM_PARAM_CONSOLE_PFN, HVM_PARAM_ACPI_IOPORTS_LOCATION, HVM_PARAM_VIRIDIAN,
    HVM_PARAM_IDENT_PT, HVM_PARAM_VM_GENERATION_ID_ADDR, HVM_PARAM_IOREQ_SERVER_PFN,
    HVM_PARAM_NR_IOREQ_SERVER_PAGES, HVM_PARAM_X87_FIP_WIDTH, HVM_PARAM_MCA_CAP,
  ]

  /// Pages that programs of the control domain write to.
  private static let shared: [Int32] = [
    HVM_PARAM_STORE_PFN, HVM_PARAM_IOREQ_PFN, HVM_PARAM_BUFIOREQ_PFN, HVM_PARAM_PAGING_RING_PFN,
    HVM_PARAM_MONITOR_RING_PFN, HVM_PARAM_SHARING_RING_PFN, HVM_PARAM_CONSOLE_PFN,
  ]

  /// The vCPUs, the interrupt controllers and all else the hypervisor emulates.
  static func context(_ domain: UInt32, _ hypervisor: Hypervisor) throws(CheckpointError)
    -> MachineRecord
  {
    let room = unsafe xc_domain_hvm_getcontext(hypervisor.control, domain, nil, 0)
    guard room > 0 else { throw hypervisor.failure("find the size of the machine state", domain) }
    var bytes = [UInt8](repeating: 0, count: Int(room))
    let length = unsafe xc_domain_hvm_getcontext(
      hypervisor.control, domain, &bytes, UInt32(bytes.count))
    guard length > 0, length <= room else {
      throw hypervisor.failure("read the machine state", domain)
    }
    return MachineRecord(.hvmContext, Array(bytes[..<Int(length)]))
  }

  /// The parameters that are not zero.
  static func parameters(_ domain: UInt32, _ hypervisor: Hypervisor) throws(CheckpointError)
    -> MachineRecord
  {
    var found: [(Int32, UInt64)] = []
    for parameter in saved {
      if let value = try value(parameter, domain, hypervisor) { found.append((parameter, value)) }
    }
    var writer = WireWriter(capacity: 8 + 16 * found.count)
    writer.write(UInt32(found.count))
    writer.write(UInt32(0))
    for (parameter, value) in found {
      writer.write(UInt64(parameter))
      writer.write(value)
    }
    return MachineRecord(.hvmParams, writer.bytes)
  }

  /// The PFNs of the pages shared with programs of the control domain.
  static func specialPages(_ domain: UInt32, _ hypervisor: Hypervisor) throws(CheckpointError)
    -> [PFN]
  {
    var pages: [PFN] = []
    for parameter in shared {
      if let pfn = try value(parameter, domain, hypervisor) { pages.append(pfn) }
    }
    if let first = try value(HVM_PARAM_IOREQ_SERVER_PFN, domain, hypervisor),
      let count = try value(HVM_PARAM_NR_IOREQ_SERVER_PAGES, domain, hypervisor)
    {
      pages += (0..<min(count, 64)).map { first &+ $0 }
    }
    return pages
  }

  /// A parameter; nil if it is zero.
  private static func value(_ parameter: Int32, _ domain: UInt32, _ hypervisor: Hypervisor)
    throws(CheckpointError) -> UInt64?
  {
    var value: UInt64 = 0
    guard
      unsafe xc_hvm_param_get(hypervisor.control, domain, UInt32(parameter), &value) == 0
    else { throw hypervisor.failure("read HVM parameter \(parameter)", domain) }
    return value == 0 ? nil : value
  }
}
#endif
