#if Xen
internal import CheckpointImage

/// A libxc stream as Xen's own save wrote it, read here without the library's reader: what is compared must
/// not share code with it.
struct SavedStream {
  /// A record that is neither memory nor framing.
  struct Record {
    var type: UInt32
    var payload: [UInt8]
  }

  /// A page: its type in PAGE_DATA and where its contents are; nil if it has none.
  struct Page {
    var type: UInt8
    var contents: Int?
  }

  let bytes: [UInt8]
  private(set) var records: [Record] = []
  private(set) var pages: [PFN: Page] = [:]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var offset = 40
    while offset < bytes.count {
      let type = UInt32(truncatingIfNeeded: word(offset))
      let length = Int(word(offset) >> 32)
      let body = offset + 8
      switch type {
      case 0: return
      case 0x10: break
      case 1:
        let count = Int(word(body) & 0xffff_ffff)
        var contents = body + 8 + 8 * count
        for index in 0..<count {
          let entry = word(body + 8 + 8 * index)
          let type = UInt8(entry >> 60)
          let hasContents = type < 13
          pages[entry & (1 << 52 - 1)] = Page(type: type, contents: hasContents ? contents : nil)
          if hasContents { contents += Limits.pageSize }
        }
      default:
        records.append(Record(type: type, payload: Array(bytes[body..<body + length])))
      }
      offset = body + (length + 7) / 8 * 8
    }
    fatalError("the stream has no end")
  }

  /// A record's payload without the time, which goes on while the guest is suspended.
  static func timeless(_ type: UInt32, _ payload: [UInt8]) -> [UInt8] {
    var payload = payload
    func clear(_ offset: Int) {
      for byte in offset..<min(offset + 8, payload.count) { payload[byte] = 0 }
    }
    switch type {
    case 8: clear(8)
    case 9:
      // HVM_CONTEXT: structures with a head of 8 bytes; of a vCPU (2) the time stamp counter is at 1008.
      var offset = 0
      while offset + 8 <= payload.count {
        let code = Int(payload[offset]) | Int(payload[offset + 1]) << 8
        let length = (0..<4).reduce(0) { $0 | Int(payload[offset + 4 + $1]) << (8 * $1) }
        if code == 2 { clear(offset + 8 + 1008) }
        offset += 8 + length
      }
    default: break
    }
    return payload
  }

  private func word(_ offset: Int) -> UInt64 {
    unsafe bytes.withUnsafeBytes {
      unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
  }
}
#endif
