internal import CheckpointImage

/// The blob of an HVM_CONTEXT record: descriptors `{u16 type, u16 instance, u32 length}`, each with its
/// data behind it (Xen's `public/arch-x86/hvm/save.h`).
struct HVMContext {
  /// A descriptor and its data.
  struct Entry {
    var type: UInt16
    /// The vCPU, for types that each vCPU has.
    var instance: UInt16
    /// The place of the data in the blob.
    var data: Range<Int>

    /// Xen's name for the type.
    var name: String { HVMContext.names[Int(type)] ?? "type \(type)" }
  }

  static let header: UInt16 = 1
  static let cpu: UInt16 = 2
  static let cpuMSR: UInt16 = 20

  private static let names: [Int: String] = [
    0: "END", 1: "HEADER", 2: "CPU", 3: "PIC", 4: "IOAPIC", 5: "LAPIC", 6: "LAPIC_REGS",
    7: "PCI_IRQ", 8: "ISA_IRQ", 9: "PCI_LINK", 10: "PIT", 11: "RTC", 12: "HPET", 13: "PMTIMER",
    14: "MTRR", 15: "VIRIDIAN_DOMAIN", 16: "CPU_XSAVE", 17: "VIRIDIAN_VCPU", 18: "VMCE_VCPU",
    19: "TSC_ADJUST", 20: "CPU_MSR",
  ]

  let bytes: [UInt8]
  let entries: [Entry]

  /// Reads the descriptors up to END.
  init(_ bytes: [UInt8]) throws(CheckpointError) {
    self.bytes = bytes
    entries = try WireReader.read(bytes, "HVM_CONTEXT") { (reader) throws(CheckpointError) in
      var entries: [Entry] = []
      while true {
        let type: UInt16 = try reader.read()
        let instance: UInt16 = try reader.read()
        let length = Int(try reader.read(UInt32.self))
        let start = reader.position
        try reader.limit(entries.count)
        try reader.skip(length)
        entries.append(Entry(type: type, instance: instance, data: start..<start + length))
        if type == 0 { return entries }
      }
    }
  }

  /// The data of an entry.
  func data(_ entry: Entry) -> [UInt8] { Array(bytes[entry.data]) }

  /// The entries as named values; the header is decoded.
  func value() throws(CheckpointError) -> RecordValue {
    var values: [RecordValue] = []
    for entry in entries {
      var fields = [
        RecordValue.Field("name", .text(entry.name)),
        RecordValue.Field("type", .number(UInt64(entry.type))),
        RecordValue.Field("instance", .number(UInt64(entry.instance))),
        RecordValue.Field("length", .number(UInt64(entry.data.count))),
      ]
      if entry.type == Self.header {
        fields += try WireReader.read(data(entry), "HVM_CONTEXT HEADER") {
          (reader) throws(CheckpointError) in
          [
            try reader.field("magic", UInt32.self, hex: true),
            try reader.field("version", UInt32.self),
            try reader.field("changeset", UInt64.self, hex: true),
            try reader.field("cpuid", UInt32.self, hex: true),
            try reader.field("gtsc_khz", UInt32.self),
          ]
        }
      }
      values.append(.fields(fields))
    }
    return .list(values)
  }
}
