package import CheckpointImage

/// The registers of one virtual processor.
package struct VCPU: Sendable {
  /// A register's name and value.
  package typealias Register = (name: String, value: UInt64)

  /// A segment register: the selector, and the descriptor behind it as far as it is known.
  package struct Segment: Sendable {
    /// Its name, such as `cs`.
    package var name: String
    /// The selector.
    package var selector: UInt64
    /// The base; nil if the record does not contain it.
    package var base: UInt64?
    /// The limit in bytes; nil if the record does not contain it.
    package var limit: UInt64?
    /// The access rights; nil if the record does not contain them.
    package var attributes: UInt64?
  }

  /// The processor's number.
  package var id: UInt64
  /// General registers, instruction pointer and flags.
  package var general: [Register] = []
  /// Control registers, and EFER if the record has it.
  package var control: [Register] = []
  /// Segment registers.
  package var segments: [Segment] = []
  /// Descriptor tables: bases and limits, or frames of a PV guest.
  package var tables: [Register] = []
  /// Debug registers.
  package var debug: [Register] = []
  /// Entry points of system calls and other system registers.
  package var system: [Register] = []
  /// Model-specific registers that are stored by number.
  package var msrs: [(index: UInt64, value: UInt64)] = []

  init(id: UInt64) { self.id = id }

  /// The processors in the records of a machine's state, ascending; empty if there are no such records.
  package static func all(in records: [MachineRecord]) throws(CheckpointError) -> [VCPU] {
    var found: [UInt64: VCPU] = [:]
    var msrs: [UInt64: [(index: UInt64, value: UInt64)]] = [:]
    for record in records where record.key.namespace == .libxc {
      guard let payload = record.payload else { continue }
      switch XenStream.LibxcType(rawValue: record.key.type) {
      case .hvmContext:
        let context = try HVMContext(payload)
        for entry in context.entries {
          let id = UInt64(entry.instance)
          switch entry.type {
          case HVMContext.cpu: found[id] = try VCPU(hvm: context.data(entry), id: id)
          case HVMContext.cpuMSR: msrs[id] = try Self.msrs(hvm: context.data(entry))
          default: break
          }
        }
      case .pvVCPUBasic:
        let vcpu = try VCPU(pv: payload)
        found[vcpu.id] = vcpu
      case .pvVCPUMSRs:
        let (id, values) = try WireReader.read(payload, "X86_PV_VCPU_MSRS") {
          (reader) throws(CheckpointError) in
          let id: UInt32 = try reader.read()
          try reader.skip(4)
          return (UInt64(id), try Policies.msrs(&reader))
        }
        msrs[id] = values
      default: break
      }
    }
    for (id, values) in msrs { found[id]?.msrs = values }
    if found.isEmpty { return try all(inNotes: DumpNotes.notes(in: records)) }
    return found.values.sorted { $0.id < $1.id }
  }

  private static func msrs(hvm data: [UInt8]) throws(CheckpointError)
    -> [(index: UInt64, value: UInt64)]
  {
    try WireReader.read(data, "HVM_CONTEXT CPU_MSR") { (reader) throws(CheckpointError) in
      let count = try reader.read(UInt32.self)
      try reader.skip(4)
      try reader.expect("length", UInt64(reader.remaining), UInt64(count) * 16)
      return try Policies.msrs(&reader)
    }
  }

  /// All registers, grouped.
  package var value: RecordValue {
    var fields = [RecordValue.Field("id", .number(id))]
    func add(_ name: String, _ registers: [Register]) {
      if !registers.isEmpty { fields.append(RecordValue.Field(name, .hex(registers))) }
    }
    add("general", general)
    add("control", control)
    fields.append(RecordValue.Field("segments", .fields(segments.map(\.field))))
    add("tables", tables)
    add("system", system)
    add("debug", debug)
    if !msrs.isEmpty {
      fields.append(
        RecordValue.Field(
          "msrs",
          .hex(msrs.map { (Hexadecimal.string($0.index), $0.value) })))
    }
    return .fields(fields)
  }
}

extension VCPU.Segment {
  fileprivate var field: RecordValue.Field {
    let parts = [
      ("selector", selector), ("base", base), ("limit", limit), ("attributes", attributes),
    ]
    return RecordValue.Field(
      name, .hex(parts.compactMap { name, value in value.map { (name, $0) } }))
  }
}
