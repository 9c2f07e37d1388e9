package import CheckpointImage

/// Where the bytes of an `InputStream` come from: a descriptor, or what expands another stream.
package protocol ByteOrigin: AnyObject {
  /// The name used in messages.
  var name: String { get }
  /// When the bytes were last written to, in seconds and nanoseconds since 1970, if that is known.
  var modified: (seconds: Int, nanoseconds: Int)? { get }
  /// Bytes of an origin that can seek; nil for one that gives its bytes once only.
  var length: UInt64? { get }
  /// How much was read, from 0 to 1, if that is known.
  var fractionDone: Double? { get }
  /// What the bytes were taken out of, outermost first: `xz`, `tar member save-1`.
  var containers: [String] { get }

  /// The wish of whoever opened it to stop.
  var cancellation: Cancellation { get }

  /// Reads the next bytes, as many as there are at once; 0 only at the end. An origin that checks its
  /// input finds every damage of it before it says that it is at the end.
  func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int

  /// Goes to a place at most at `length`, which is not nil.
  func seek(to offset: UInt64) throws(CheckpointError)
  /// The same bytes at any offset; nil where they come once only.
  func file() throws(CheckpointError) -> LocalFile?
}

extension ByteOrigin {
  /// They come once only.
  package func file() throws(CheckpointError) -> LocalFile? { nil }
}
