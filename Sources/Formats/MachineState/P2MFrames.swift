internal import CheckpointImage

/// The pages of a PV guest that hold its table from PFNs to machine frames.
enum P2MFrames {
  static func value(_ payload: [UInt8]) throws(CheckpointError) -> RecordValue {
    try WireReader.read(payload, "X86_PV_P2M_FRAMES") { (reader) throws(CheckpointError) in
      let head = [
        try reader.field("start_pfn", UInt32.self, hex: true),
        try reader.field("end_pfn", UInt32.self, hex: true),
      ]
      var frames: [RecordValue] = []
      while reader.remaining > 0 {
        try reader.limit(frames.count, to: 1 << 20)
        frames.append(.hex(try reader.read()))
      }
      return .fields(head + [RecordValue.Field("frames", .list(frames))])
    }
  }
}
