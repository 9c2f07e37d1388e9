public import CheckpointImage

/// Bytes written in one pass that appear when they are complete: in a file, a pipe, memory, or an object in a
/// store.
///
/// Nothing has the sink's name before `commit`, except where bytes are passed on at once, as into a pipe. A
/// sink that is released before `commit` leaves nothing behind.
public protocol ByteSink: AnyObject {
  /// The name used in messages.
  var name: String { get }
  /// Bytes written so far.
  var position: UInt64 { get }
  /// The storage that `commit` would replace; nil if nothing has the name.
  var replaced: StorageIdentity? { get }
  /// The sink itself, if it can be written at any offset and so have holes; else nil.
  var seekable: (any SeekableSink)? { get }

  /// Appends bytes at `position`.
  func write(_ bytes: RawSpan) throws(CheckpointError)
  /// Makes everything durable and visible under its name.
  func commit() throws(CheckpointError)
  /// Opens what was written so far for reading; after `commit`, under its final name.
  func reopened() throws(CheckpointError) -> any RangeReader
  /// Keeps what was written under another name, for a later salvage. Returns that name; nil if nothing can be
  /// kept.
  func keepUnfinished() -> String?
}

extension ByteSink {
  /// Nothing is replaced.
  public var replaced: StorageIdentity? { nil }
  /// It is written in order only.
  public var seekable: (any SeekableSink)? { nil }
  /// Nothing can be kept.
  public func keepUnfinished() -> String? { nil }

  /// Throws `.refused`: what was passed on cannot be read again.
  public func reopened() throws(CheckpointError) -> any RangeReader {
    throw CheckpointError(.refused, "cannot be read again", file: name)
  }

  /// Appends bytes at `position`.
  public func write(_ bytes: [UInt8]) throws(CheckpointError) { try write(bytes.rawSpan) }
}

/// A sink that can be written at any offset; what is never written reads as zero.
public protocol SeekableSink: ByteSink {
  /// Writes bytes at `offset`, and does not move `position`.
  func write(_ bytes: RawSpan, at offset: UInt64) throws(CheckpointError)
  /// Sets the length in bytes; what lies beyond what was written reads as zero.
  func setLength(_ length: UInt64) throws(CheckpointError)
}
