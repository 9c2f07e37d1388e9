package import CheckpointImage

/// The names of records in Xen's documentation.
package enum RecordName {
  /// The name of a record type; a number if it has none.
  package static func text(_ key: RecordKey) -> String {
    name(key.namespace, key.type) ?? Hexadecimal.string(UInt64(key.type))
  }

  /// The name of a record. For a note of a dump it includes the writer, if the payload is available.
  package static func text(_ record: MachineRecord) -> String {
    guard record.key.namespace == .dumpNote, let payload = record.payload,
      let note = try? DumpNote(payload)
    else { return text(record.key) }
    return "\(note.name.prefix(32)) \(text(record.key))"
  }

  private static func name(_ namespace: RecordNamespace, _ type: UInt32) -> String? {
    switch namespace {
    case .libxc: XenStream.LibxcType(rawValue: type).flatMap { libxc[$0] }
    case .libxl:
      switch XenStream.LibxlType(rawValue: type) {
      case .emulatorXenstoreData: "EMULATOR_XENSTORE_DATA"
      case .emulatorContext: "EMULATOR_CONTEXT"
      default: nil
      }
    case .xl: type == XenStream.XLPart.configuration.rawValue ? "configuration" : "optional data"
    case .streamHeader:
      switch XenStream.Header(rawValue: type) {
      case .image: "image header"
      case .domain: "domain header"
      case .libxl: "libxl header"
      case .xl: "xl header"
      case .libvirt: "libvirt header"
      case .xenServer: "XenServer signature"
      case nil: nil
      }
    case .libvirt: XenStream.LibvirtPart(rawValue: type) == .domainXML ? "domain XML" : nil
    case .xenServer: XenStream.XenServerSection(rawValue: type).flatMap { xenServer[$0] }
    case .dumpNote: "note \(type)"
    }
  }

  private static let xenServer: [XenStream.XenServerSection: String] = [
    .metadata: "Xenops metadata", .traditionalEmulator: "Qemu_trad", .emulator: "Qemu_xen",
    .virtualGPU: "Demu", .uefiVariables: "Varstored", .tpm0: "Swtpm0", .tpm: "Swtpm",
  ]

  private static let libxc: [XenStream.LibxcType: String] = [
    .pvInfo: "X86_PV_INFO", .pvP2MFrames: "X86_PV_P2M_FRAMES", .pvVCPUBasic: "X86_PV_VCPU_BASIC",
    .pvVCPUExtended: "X86_PV_VCPU_EXTENDED", .pvVCPUXSave: "X86_PV_VCPU_XSAVE",
    .sharedInfo: "SHARED_INFO", .tscInfo: "X86_TSC_INFO", .hvmContext: "HVM_CONTEXT",
    .hvmParams: "HVM_PARAMS", .toolstack: "TOOLSTACK", .pvVCPUMSRs: "X86_PV_VCPU_MSRS",
    .cpuidPolicy: "X86_CPUID_POLICY", .msrPolicy: "X86_MSR_POLICY",
  ]
}
