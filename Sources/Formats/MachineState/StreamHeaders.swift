internal import CheckpointImage

/// The fixed headers of Xen's streams.
enum StreamHeaders {
  static func value(_ header: XenStream.Header, _ payload: [UInt8]) throws(CheckpointError)
    -> RecordValue
  {
    try WireReader.read(payload, "\(header) header") { (reader) throws(CheckpointError) in
      switch header {
      case .image:
        try reader.skip(12)
        return .fields([
          try reader.bigEndianField("version", UInt32.self),
          try reader.bigEndianField("options", UInt16.self),
        ])
      case .domain:
        let type: UInt32 = try reader.read()
        let name = XenStream.GuestType(rawValue: type).map { $0 == .pv ? "PV" : "HVM" }
        let shift = try reader.field("page_shift", UInt16.self)
        try reader.skip(2)
        return .fields([
          RecordValue.Field("type", .text(name ?? "\(type)")), shift,
          try reader.field("xen_major", UInt32.self), try reader.field("xen_minor", UInt32.self),
        ])
      case .libxl:
        try reader.skip(8)
        return .fields([
          try reader.bigEndianField("version", UInt32.self),
          try reader.bigEndianField("options", UInt32.self),
        ])
      case .xl:
        try reader.skip(32)
        return .fields([
          try reader.field("byteorder", UInt32.self, hex: true),
          try reader.field("mandatory_flags", UInt32.self, hex: true),
          try reader.field("optional_flags", UInt32.self, hex: true),
          try reader.field("optional_data_len", UInt32.self),
        ])
      case .libvirt:
        try reader.skip(16)
        return .fields([
          try reader.field("version", UInt32.self), try reader.field("xml_length", UInt32.self),
        ])
      case .xenServer:
        let text = String(decoding: try reader.readBytes(reader.remaining), as: UTF8.self)
        return .fields([RecordValue.Field("signature", .text(text))])
      }
    }
  }
}
