internal import CheckpointImage

/// The records of a PV guest's processors except for their registers, which `VCPU` decodes.
enum PVVCPURecords {
  static func extended(_ payload: [UInt8]) throws(CheckpointError) -> RecordValue {
    try WireReader.read(payload, "X86_PV_VCPU_EXTENDED") { (reader) throws(CheckpointError) in
      let vcpu = try head(&reader)
      // Older writers omit zeros at the end.
      let missing = max(0, 64 - reader.remaining)
      let bytes = try reader.readBytes(reader.remaining) + [UInt8](repeating: 0, count: missing)
      return try WireReader.read(bytes, "X86_PV_VCPU_EXTENDED") {
        (reader) throws(CheckpointError) in
        try reader.skip(8)
        var fields = [
          vcpu,
          try reader.field("syscall32_callback_eip", UInt64.self, hex: true),
          try reader.field("sysenter_callback_eip", UInt64.self, hex: true),
          try reader.field("syscall32_callback_cs", UInt16.self, hex: true),
          try reader.field("sysenter_callback_cs", UInt16.self, hex: true),
          try reader.field("syscall32_disables_events", UInt8.self),
          try reader.field("sysenter_disables_events", UInt8.self),
        ]
        try reader.skip(2)
        for name in ["vmce_caps", "vmce_mci_ctl2_bank0", "vmce_mci_ctl2_bank1", "vmce_mcg_ext_ctl"]
        {
          fields.append(try reader.field(name, UInt64.self, hex: true))
        }
        return .fields(fields)
      }
    }
  }

  static func xsave(_ payload: [UInt8]) throws(CheckpointError) -> RecordValue {
    try WireReader.read(payload, "X86_PV_VCPU_XSAVE") { (reader) throws(CheckpointError) in
      var fields = [try head(&reader)]
      guard reader.remaining > 0 else { return .fields(fields) }
      fields.append(try reader.field("xcr0", UInt64.self, hex: true))
      fields.append(try reader.field("xcr0_accum", UInt64.self, hex: true))
      fields.append(RecordValue.Field("bytes", .number(UInt64(reader.remaining))))
      return .fields(fields)
    }
  }

  static func msrs(_ payload: [UInt8]) throws(CheckpointError) -> RecordValue {
    try WireReader.read(payload, "X86_PV_VCPU_MSRS") { (reader) throws(CheckpointError) in
      let vcpu = try head(&reader)
      let values = try Policies.msrs(&reader).map {
        RecordValue.hex([("index", $0.index), ("value", $0.value)])
      }
      return .fields([vcpu, RecordValue.Field("msrs", .list(values))])
    }
  }

  /// `u32 vcpu_id, u32 reserved`.
  private static func head(_ reader: inout WireReader) throws(CheckpointError)
    -> RecordValue.Field
  {
    let field = try reader.field("vcpu", UInt32.self)
    try reader.skip(4)
    return field
  }
}
