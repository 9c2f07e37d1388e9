internal import CheckpointImage

extension [UInt8] {
  /// Lends the array's storage to a body that may fail with our own error.
  mutating func withMutableBytes(
    _ body: (UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var failure: CheckpointError?
    unsafe withUnsafeMutableBytes { bytes in
      do throws(CheckpointError) { unsafe try body(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
