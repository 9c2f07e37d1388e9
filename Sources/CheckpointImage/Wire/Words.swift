/// Little-endian numbers at places that are known to be there.
extension [UInt8] {
  /// The 16 bits at an offset.
  package func u16(_ offset: Int) -> UInt16 {
    UInt16(
      littleEndian: unsafe span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  /// The 32 bits at an offset.
  package func u32(_ offset: Int) -> UInt32 {
    UInt32(
      littleEndian: unsafe span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  /// The 64 bits at an offset.
  package func u64(_ offset: Int) -> UInt64 {
    UInt64(
      littleEndian: unsafe span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
