internal import CheckpointCodec
package import CheckpointImage

/// The header of each range of memory in a LiME file.
package enum LiMEHeader {
  static let magic: [UInt8] = [0x45, 0x4d, 0x69, 0x4c]
  static let version: UInt32 = 1
  static let size = 32

  /// The header of a run of pages.
  package static func encoded(_ run: Range<PFN>) -> [UInt8] {
    var writer = WireWriter(capacity: size)
    writer.write(magic)
    writer.write(version)
    writer.write(run.lowerBound << UInt64(Limits.pageShift))
    // The last address, inclusive.
    writer.write(run.upperBound << UInt64(Limits.pageShift) - 1)
    writer.write(UInt64(0))
    return writer.bytes
  }
}
