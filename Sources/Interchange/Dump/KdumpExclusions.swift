public import CheckpointCodec
public import CheckpointImage

/// The pages that makedumpfile left out of a kdump-compressed dump: those that its first bitmap has, and its
/// second has not.
public enum KdumpExclusions {
  /// A bitmap for 1 TiB of memory.
  private static let longestBitmap = 1 << 25
  private static let headerSize = 464
  private static let pieceSize = 1 << 20

  /// Reads them from a file, all with the reason *listed*.
  public static func read(_ path: String) throws(CheckpointError) -> EvictionPlan {
    let file = try InputFile(path)
    do throws(CheckpointError) {
      let bitmaps = try Bitmaps(file)
      var plan = EvictionPlan()
      for start in stride(from: 0, to: bitmaps.length, by: pieceSize) {
        try Interruption.check()
        let count = min(pieceSize, bitmaps.length - start)
        let present = try file.bytes(at: bitmaps.first + UInt64(start), count: count)
        let dumped = try file.bytes(at: bitmaps.second + UInt64(start), count: count)
        for index in 0..<count where present[index] & ~dumped[index] != 0 {
          for bit in 0..<8 where (present[index] & ~dumped[index]) >> bit & 1 != 0 {
            let pfn = PFN(start + index) * 8 + PFN(bit)
            guard pfn < bitmaps.pages else { break }
            plan[pfn] = .listed
          }
        }
      }
      return plan
    } catch {
      throw error.inFile(file.name)
    }
  }

  /// Where the bitmaps are.
  private struct Bitmaps {
    var first: UInt64
    var second: UInt64
    /// Bytes of each.
    var length: Int
    /// PFNs that are covered.
    var pages: UInt64

    init(_ file: InputFile) throws(CheckpointError) {
      func refused(_ reason: String) -> CheckpointError { CheckpointError(.refused, reason) }
      let start = try file.bytes(at: 0, count: Int(min(file.length, UInt64(headerSize))))
      if start.starts(with: Array("makedumpfile".utf8)) {
        throw refused("is a flattened dump: makedumpfile -R makes an ordinary one of it")
      }
      if start.starts(with: [0x7f, 0x45, 0x4c, 0x46]) {
        throw refused("is an ELF file: only kdump-compressed dumps say what was left out")
      }
      guard start.starts(with: Array("KDUMP   ".utf8)) else {
        throw refused("is no kdump-compressed dump as makedumpfile writes it")
      }
      guard start.count == headerSize else {
        throw CheckpointError(.incomplete, "the file ends in its header", structure: "kdump header")
      }
      var reader = unsafe WireReader(start.span.bytes, structure: "kdump header", at: 0)
      _ = try reader.readBytes(8)
      let version: UInt32 = try reader.read()
      _ = try reader.readBytes(428 - 12)
      let blockSize: UInt32 = try reader.read()
      let subHeader: UInt32 = try reader.read()
      let bitmapBlocks: UInt32 = try reader.read()
      let pages32: UInt32 = try reader.read()
      try reader.expect("version", version, in: 1...6)
      try reader.expect("block size", blockSize, UInt32(Limits.pageSize))
      try reader.expect("blocks of the second header", subHeader, in: 1...1024)
      try reader.expect("blocks of both bitmaps", bitmapBlocks % 2, 0)
      length = Int(bitmapBlocks / 2) * Limits.pageSize
      guard length <= longestBitmap else {
        throw CheckpointError(
          .unsupported, "bitmaps of \(length) bytes: at most \(longestBitmap) are read",
          structure: "kdump header")
      }
      pages = UInt64(pages32)
      let second = try file.bytes(at: UInt64(Limits.pageSize), count: 104)
      reader = unsafe WireReader(second.span.bytes, structure: "kdump second header", at: 4096)
      _ = try reader.readBytes(12)
      guard try reader.read(UInt32.self) == 0 else {
        throw refused("is one part of a split dump: the others say what is in them")
      }
      if version >= 6 {
        _ = try reader.readBytes(96 - 16)
        pages = try reader.read()
      }
      first = UInt64(1 + subHeader) * UInt64(Limits.pageSize)
      self.second = first + UInt64(length)
    }
  }
}
