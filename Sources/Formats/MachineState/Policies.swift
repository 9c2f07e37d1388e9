internal import CheckpointImage

/// The guest's view of its processor: lists of CPUID leaves and of model-specific registers.
enum Policies {
  static func cpuid(_ payload: [UInt8]) throws(CheckpointError) -> RecordValue {
    try WireReader.read(payload, "X86_CPUID_POLICY") { (reader) throws(CheckpointError) in
      var leaves: [RecordValue] = []
      while reader.remaining > 0 {
        try reader.limit(leaves.count)
        var fields = [try reader.field("leaf", UInt32.self, hex: true)]
        let subleaf: UInt32 = try reader.read()
        // All ones means that the leaf has no subleaf.
        if subleaf != .max { fields.append(RecordValue.Field("subleaf", .hex(UInt64(subleaf)))) }
        for name in ["eax", "ebx", "ecx", "edx"] {
          fields.append(try reader.field(name, UInt32.self, hex: true))
        }
        leaves.append(.fields(fields))
      }
      return .list(leaves)
    }
  }

  static func msrs(_ payload: [UInt8]) throws(CheckpointError) -> RecordValue {
    try WireReader.read(payload, "X86_MSR_POLICY") { (reader) throws(CheckpointError) in
      .list(try msrs(&reader).map { .hex([("index", $0.index), ("value", $0.value)]) })
    }
  }

  /// Entries `{u32 index, u32 flags, u64 value}` up to the end.
  static func msrs(_ reader: inout WireReader) throws(CheckpointError)
    -> [(index: UInt64, value: UInt64)]
  {
    var values: [(index: UInt64, value: UInt64)] = []
    while reader.remaining > 0 {
      try reader.limit(values.count)
      let index: UInt32 = try reader.read()
      try reader.skip(4)
      values.append((UInt64(index), try reader.read()))
    }
    return values
  }
}
