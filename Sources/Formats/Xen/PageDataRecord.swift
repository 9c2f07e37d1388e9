internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// The list of pages at the head of a PAGE_DATA record.
struct PageDataRecord {
  /// An entry: PFN in bits 0 to 51, type in bits 60 to 63.
  struct Entry {
    var pfn: PFN
    var type: UInt8

    var hasContents: Bool { type < XenStream.typeBroken }

    /// The state of a page without contents.
    var status: PageStatus {
      switch type {
      case XenStream.typeBroken: PageStatus(.broken)
      case XenStream.typeAllocateOnly: PageStatus(.allocateOnly)
      default: PageStatus(.unpopulated)
      }
    }
  }

  let reserved: UInt32
  let count: Int
  private let list: [UInt8]

  /// Reads the list of a record of `length` bytes, whose body is next in `input`.
  init(_ input: InputStream, length: Int, at offset: UInt64) throws(CheckpointError) {
    func damaged(_ reason: String) -> CheckpointError {
      CheckpointError(
        .damaged, reason, structure: "PAGE_DATA", offset: offset, file: input.name)
    }
    guard length >= 8 else { throw damaged("length: found \(length), expected at least 8") }
    let head = try input.read(8, "PAGE_DATA")
    var reader = WireReader(head.rawSpan, structure: "PAGE_DATA", at: offset)
    count = Int(try reader.read(UInt32.self))
    reserved = try reader.read()
    guard count >= 1, count <= (length - 8) / 8 else {
      throw damaged("count: found \(count), expected 1 to \((length - 8) / 8)")
    }
    guard count <= Limits.maximumBatch else {
      throw CheckpointError(
        .unsupported, "a record of \(count) PFNs: at most \(Limits.maximumBatch) are taken",
        structure: "PAGE_DATA", offset: offset, file: input.name)
    }
    list = try input.read(8 * count, "PAGE_DATA")
    var contents = 0
    for index in 0..<count {
      let raw = Self.raw(list, index)
      let entry = Entry(pfn: raw & (Limits.pfnEnd - 1), type: UInt8(raw >> 60))
      guard raw >> 52 & 0xff == 0 else {
        throw damaged("reserved bits of PFN \(entry.pfn) are set")
      }
      guard !(5...8).contains(entry.type) else {
        throw damaged("type of PFN \(entry.pfn): found \(entry.type), expected none of 5 to 8")
      }
      if entry.hasContents { contents += 1 }
    }
    let expected = 8 + 8 * count + contents * Limits.pageSize
    guard length == expected else {
      throw damaged("length: found \(length), expected \(expected)")
    }
  }

  private static func raw(_ list: [UInt8], _ index: Int) -> UInt64 {
    let bytes = list.rawSpan
    // SAFETY: the load checks its bounds; any bytes are a valid number.
    return UInt64(
      littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
  }

  subscript(index: Int) -> Entry {
    let raw = Self.raw(list, index)
    return Entry(pfn: raw & (Limits.pfnEnd - 1), type: UInt8(raw >> 60))
  }
}
