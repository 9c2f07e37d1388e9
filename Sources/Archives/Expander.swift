internal import CheckpointImage

/// What expands a compressed stream.
protocol Expander: AnyObject {
  /// Expands the next bytes; 0 only at the end.
  func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int
  /// Reads the input to its end, and tells how many bytes are behind the compressed data.
  func drain() throws(CheckpointError) -> UInt64
}
