import CheckpointImage

/// A small `xl save` file of an HVM guest, with every part such a file has.
enum SmallSave {
  static func bytes() -> [UInt8] {
    let configuration = Array("{\"c_info\":{\"name\":\"small\"}}\0".utf8)
    var xl = Array("Xen saved domain, xl format\n \0 \r".utf8)
    xl += u32(0x0102_0304) + u32(3) + u32(0) + u32(UInt32(configuration.count + 4))
    xl += u32(UInt32(configuration.count)) + configuration
    let libxl = Array("LibxlFmt".utf8) + [0, 0, 0, 2, 0, 0, 0, 0] + record(1, [])
    let xenstore = u32(2) + u32(0) + Array("a\0b\0".utf8)
    let emulator = u32(2) + u32(0) + Array("device model".utf8)
    let end = record(2, xenstore) + record(3, emulator) + record(0, [])
    return xl + libxl + libxc() + end
  }

  private static func libxc() -> [UInt8] {
    let marker = [UInt8](repeating: 0xff, count: 8)
    var stream = marker + Array("XENF".utf8) + [0, 0, 0, 3] + [UInt8](repeating: 0, count: 8)
    stream += u32(2) + [12, 0, 0, 0] + u32(4) + u32(17)
    stream += record(0x11, [UInt8](repeating: 7, count: 24)) + record(0x10, [])
    stream += pages([(0, 0, 1), (1, 0, 0), (2, 15, nil), (3, 14, nil), (4, 13, nil)])
    stream += pages([(700, 0, 9), (1 << 40, 0, 8)])
    stream += record(0x8000_0001, Array("optional".utf8))
    stream += record(8, [UInt8](repeating: 0, count: 24))
    let context =
      [1, 0, 0, 0, 24, 0, 0, 0] + [UInt8](repeating: 3, count: 24) + [UInt8](repeating: 0, count: 8)
    stream += record(9, context) + record(10, u32(1) + u32(0) + u64(1) + u64(5))
    return stream + record(0, [])
  }

  private static func pages(_ entries: [(PFN, UInt64, UInt8?)]) -> [UInt8] {
    var body = u32(UInt32(entries.count)) + u32(0)
    for (pfn, type, _) in entries { body += u64(pfn | type << 60) }
    for (_, _, fill) in entries {
      if let fill { body += [UInt8](repeating: fill, count: Limits.pageSize) }
    }
    return record(1, body)
  }

  private static func record(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
    u32(type) + u32(UInt32(body.count)) + body
      + [UInt8](repeating: 0, count: (8 - body.count % 8) % 8)
  }

  private static func u32(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
  }

  private static func u64(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
  }
}
