internal import CheckpointImage

/// The page that a PV guest shares with the hypervisor: its clock, and the places of its frame lists.
enum SharedInfo {
  static func value(_ payload: [UInt8], guestWidth: Int) throws(CheckpointError) -> RecordValue {
    try WireReader.read(payload, "SHARED_INFO") { (reader) throws(CheckpointError) in
      let wide = guestWidth == 8
      try reader.skip(wide ? 3072 : 2304)
      var fields = [
        try reader.field("wc_version", UInt32.self), try reader.field("wc_sec", UInt32.self),
        try reader.field("wc_nsec", UInt32.self),
      ]
      if wide { fields.append(try reader.field("wc_sec_hi", UInt32.self)) }
      for name in [
        "max_pfn", "pfn_to_mfn_frame_list_list", "nmi_reason", "p2m_cr3", "p2m_vaddr",
        "p2m_generation",
      ] {
        fields.append(
          wide
            ? try reader.field(name, UInt64.self, hex: true)
            : try reader.field(name, UInt32.self, hex: true))
      }
      if !wide { fields.append(try reader.field("wc_sec_hi", UInt32.self)) }
      return .fields(fields)
    }
  }
}
