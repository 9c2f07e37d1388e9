public import CheckpointImage

/// Where bytes are written in one pass, and appear when they are complete: a file, a pipe, memory, an object in
/// a store.
///
/// Nothing is under the sink's name before `commit`, unless what lies behind that name passes bytes on at once, as
/// a pipe does. A sink that is dropped before leaves nothing behind.
public protocol ByteSink: AnyObject {
  /// The name used in messages.
  var name: String { get }
  /// Bytes written so far.
  var position: UInt64 { get }
  /// What `commit` would replace; nil if nothing has the name.
  var replaced: StorageIdentity? { get }
  /// The same sink, where bytes can be written at any offset, and so be left out.
  var seekable: (any SeekableSink)? { get }

  /// Appends bytes.
  func write(_ bytes: RawSpan) throws(CheckpointError)
  /// Makes what was written durable, and lets it appear under its name.
  func commit() throws(CheckpointError)
  /// What was written so far, for reading; once it was committed, under its name.
  func reopened() throws(CheckpointError) -> any RangeReader
  /// Leaves what was written under another name. Returns that name; nil if it cannot be done.
  func keepUnfinished() -> String?
}

extension ByteSink {
  /// Nothing is replaced.
  public var replaced: StorageIdentity? { nil }
  /// It is written in order only.
  public var seekable: (any SeekableSink)? { nil }
  /// Nothing can be kept.
  public func keepUnfinished() -> String? { nil }

  /// What was passed on cannot be read again.
  public func reopened() throws(CheckpointError) -> any RangeReader {
    throw CheckpointError(.refused, "cannot be read again", file: name)
  }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws(CheckpointError) { try write(bytes.rawSpan) }
}

/// A sink that can be written at any offset; what is never written reads as zero.
public protocol SeekableSink: ByteSink {
  /// Writes bytes at an offset.
  func write(_ bytes: RawSpan, at offset: UInt64) throws(CheckpointError)
  /// Sets the length.
  func setLength(_ length: UInt64) throws(CheckpointError)
}
