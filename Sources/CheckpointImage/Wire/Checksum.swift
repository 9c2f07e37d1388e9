internal import CDeflate

/// CRC-32 as zlib, gzip and PNG use it (Spec, "Conventions"); the computation is libdeflate's.
package struct Checksum: Sendable {
  /// The CRC of the bytes added so far.
  package private(set) var value: UInt32 = 0

  /// The CRC of no bytes.
  package init() {}

  /// Adds bytes.
  package mutating func update(_ bytes: RawSpan) {
    // Given no bytes at a null address, the library would begin anew.
    guard bytes.byteCount > 0 else { return }
    let before = value
    value = unsafe bytes.withUnsafeBytes {
      unsafe libdeflate_crc32(before, $0.baseAddress, $0.count)
    }
  }

  /// The CRC of one run of bytes.
  package static func of(_ bytes: RawSpan) -> UInt32 {
    var checksum = Checksum()
    checksum.update(bytes)
    return checksum.value
  }
}
