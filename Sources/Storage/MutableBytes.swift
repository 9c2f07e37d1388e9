internal import CheckpointImage

extension [UInt8] {
  /// Lends the array's storage to a body that throws `CheckpointError`, which the standard library's version
  /// would erase.
  mutating func withMutableBytes(
    _ body: (UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var failure: CheckpointError?
    // SAFETY: the pointer is valid inside the closure, and callers do not let it out.
    unsafe withUnsafeMutableBytes { bytes in
      do throws(CheckpointError) { unsafe try body(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
