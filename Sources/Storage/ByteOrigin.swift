package import CheckpointImage

/// The bytes behind an `InputStream`: those of a descriptor, or what another stream expands to.
package protocol ByteOrigin: AnyObject {
  /// The name used in messages.
  var name: String { get }
  /// When the bytes were last written to, in seconds and nanoseconds since 1970, if that is known.
  var modified: (seconds: Int, nanoseconds: Int)? { get }
  /// The number of bytes if the origin can seek; nil if it can be read only once.
  var length: UInt64? { get }
  /// How much was read, from 0 to 1, if that is known.
  var fractionDone: Double? { get }
  /// What the bytes were taken out of, outermost first: `xz`, `tar member save-1`.
  var containers: [String] { get }

  /// Stops reads; set by whoever opened the origin.
  var cancellation: Cancellation { get }

  /// Reads the next bytes, as many as are available; 0 only at the end. An origin that checks its input reports
  /// all damage before it reports the end.
  func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int

  /// Continues at `offset`, which is at most `length`; only for origins with a length.
  func seek(to offset: UInt64) throws(CheckpointError)
  /// The same bytes at any offset; nil if they can be read only once.
  func file() throws(CheckpointError) -> LocalFile?
}

extension ByteOrigin {
  /// Nil: most origins can be read only once.
  package func file() throws(CheckpointError) -> LocalFile? { nil }
}
