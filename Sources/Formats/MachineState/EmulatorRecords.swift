internal import CheckpointImage

/// What the device model saved: pairs of xenstore, and its own state, which is not decoded.
enum EmulatorRecords {
  static func xenstore(_ payload: [UInt8]) throws(CheckpointError) -> RecordValue {
    try WireReader.read(payload, "EMULATOR_XENSTORE_DATA") { (reader) throws(CheckpointError) in
      let head = try head(&reader)
      guard reader.remaining <= XenStream.maximumXenstoreData else {
        throw reader.damaged("more than \(XenStream.maximumXenstoreData) bytes")
      }
      var strings = try reader.readBytes(reader.remaining)
        .split(separator: 0, omittingEmptySubsequences: false)
        .map { RecordValue.text(String(decoding: $0, as: UTF8.self)) }
      // The last NUL ends the last string and does not begin another.
      if strings.last == .text("") { strings.removeLast() }
      var pairs: [RecordValue] = []
      for place in stride(from: 0, to: strings.count, by: 2) {
        let value = place + 1 < strings.count ? strings[place + 1] : .text("")
        pairs.append(
          .fields([
            RecordValue.Field("key", strings[place]), RecordValue.Field("value", value),
          ]))
      }
      return .fields(head + [RecordValue.Field("pairs", .list(pairs))])
    }
  }

  static func context(_ payload: [UInt8]) throws(CheckpointError) -> RecordValue {
    try WireReader.read(payload, "EMULATOR_CONTEXT") { (reader) throws(CheckpointError) in
      let head = try head(&reader)
      let count = UInt64(reader.remaining)
      return .fields(head + [RecordValue.Field("bytes", .number(count))])
    }
  }

  private static func head(_ reader: inout WireReader) throws(CheckpointError)
    -> [RecordValue.Field]
  {
    let id: UInt32 = try reader.read()
    let names: [UInt32: String] = [0: "unknown", 1: "qemu-traditional", 2: "qemu"]
    return [
      RecordValue.Field("emulator", .text(names[id] ?? "\(id)")),
      try reader.field("index", UInt32.self),
    ]
  }
}
