import CheckpointImage

/// A small `xl save` file of an HVM guest, with every part such a file has, and the same guest in the other
/// formats.
enum SmallSave {
  /// The file of `xl save`.
  static func bytes() -> [UInt8] {
    let configuration = Array("{\"c_info\":{\"name\":\"small\"}}\0".utf8)
    var xl = Array("Xen saved domain, xl format\n \0 \r".utf8)
    xl += u32(0x0102_0304) + u32(3) + u32(0) + u32(UInt32(configuration.count + 4))
    xl += u32(UInt32(configuration.count)) + configuration
    return xl + libxl()
  }

  /// The libxl stream in it.
  static func libxl() -> [UInt8] { libxlStart + libxc() + emulator + record(0, []) }

  /// A libvirt save file.
  static func libvirt() -> [UInt8] {
    let xml = Array("<domain type='xen'>\n  <name>small</name>\n</domain>\n".utf8)
    let header = Array("libvirt-xml\n \0 \r".utf8) + u32(2) + u32(UInt32(xml.count))
    return header + [UInt8](repeating: 0, count: 40) + xml + libxl()
  }

  /// A XenServer suspend image.
  static func xenServer(withEmulator: Bool = true) -> [UInt8] {
    func section(_ type: UInt64, _ body: [UInt8]) -> [UInt8] {
      u64(type) + u64(UInt64(body.count)) + body
    }
    let metadata = section(0x0f, Array("((word_size 64))".utf8))
    // The length of this section means nothing.
    let memory = u64(0xf0) + u64(77) + libxc()
    let emulator = withEmulator ? section(0x0f01, Array("QEVM".utf8)) : []
    return Array("XenSavedDomv2-\n".utf8) + metadata + memory + emulator + section(0xffff, [])
  }

  /// A checkpointed stream, bare or in a libxl stream; of each moment, the value that fills page 0.
  static func checkpointed(_ moments: [UInt8], inLibxl: Bool, verified: Bool = false) -> [UInt8] {
    var stream = (inLibxl ? libxlStart : []) + libxcStart
    for (number, fill) in moments.enumerated() {
      if number == 0 { stream += pages([(0, 0, 1), (1, 0, 0), (2, 15, nil)]) }
      stream += pages([(0, 0, fill)]) + (verified ? record(0x0d, []) : []) + state()
      stream += record(0x0e, [])
      if inLibxl { stream += emulator + record(4, []) }
    }
    return stream
  }

  private static var libxlStart: [UInt8] {
    Array("LibxlFmt".utf8) + [0, 0, 0, 2, 0, 0, 0, 0] + record(1, [])
  }

  private static var emulator: [UInt8] {
    let xenstore = u32(2) + u32(0) + Array("a\0b\0".utf8)
    let emulator = u32(2) + u32(0) + Array("device model".utf8)
    return record(2, xenstore) + record(3, emulator)
  }

  private static var libxcStart: [UInt8] {
    let marker = [UInt8](repeating: 0xff, count: 8)
    let image = marker + Array("XENF".utf8) + [0, 0, 0, 3] + [UInt8](repeating: 0, count: 8)
    let domain = u32(2) + [12, 0, 0, 0] + u32(4) + u32(17)
    return image + domain + record(0x11, [UInt8](repeating: 7, count: 24)) + record(0x10, [])
  }

  private static func state(parameters: Int = 1) -> [UInt8] {
    let context =
      [1, 0, 0, 0, 24, 0, 0, 0] + [UInt8](repeating: 3, count: 24) + [UInt8](repeating: 0, count: 8)
    return record(8, [UInt8](repeating: 0, count: 24)) + record(9, context)
      + record(
        10,
        u32(UInt32(parameters)) + u32(0) + (0..<parameters).flatMap { _ in u64(1) + u64(5) })
  }

  /// The libxc stream in it.
  static func libxc(verified: Bool = false, parameters: Int = 1) -> [UInt8] {
    let first = pages([(0, 0, 1), (1, 0, 0), (2, 15, nil), (3, 14, nil), (4, 13, nil)])
    var stream = libxcStart + first
    stream += pages([(700, 0, 9), (1 << 40, 0, 8)])
    stream += record(0x8000_0001, Array("optional".utf8))
    // A debugging save sends its memory again.
    if verified { stream += record(0x0d, []) + first }
    return stream + state(parameters: parameters) + record(0, [])
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
