#if Xen
extension RawSpan {
  /// Appends the contents as words of 8 bytes.
  func appendWords(to words: inout [UInt64]) {
    // SAFETY: no word begins later than 8 bytes before the end.
    unsafe withUnsafeBytes { bytes in
      for offset in stride(from: 0, to: bytes.count - 7, by: 8) {
        unsafe words.append(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      }
    }
  }
}
#endif
