internal import CheckpointImage

/// Expands a compressed stream.
protocol Expander: AnyObject {
  /// Reads the next expanded bytes; 0 only at the end.
  func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int
  /// Reads the input to its end; returns the number of bytes after the compressed data.
  func drain() throws(CheckpointError) -> UInt64
}
