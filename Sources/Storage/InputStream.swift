package import CheckpointImage

/// Bytes read once, in order, from a file, a pipe, or a stream that is expanded.
package final class InputStream {
  /// The name used in messages.
  package let name: String
  /// Bytes given out so far.
  package private(set) var position: UInt64 = 0
  /// When the source was last written to, in seconds and nanoseconds since 1970; nil if unknown.
  package let modified: (seconds: Int, nanoseconds: Int)?
  /// The containers the bytes were taken from, outermost first, such as `xz`, `tar member save-1`.
  package let containers: [String]
  /// The number of bytes if `seek` works; else nil.
  package let length: UInt64?
  /// Stops reads; set by whoever opened the origin.
  package var cancellation: Cancellation { origin.cancellation }
  // SAFETY of all uses: pointers are into arrays or buffers of callers, slices of them check their bounds,
  // and none is kept after a call.
  private let origin: any ByteOrigin
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var next = 0
  private var filled = 0
  /// What ended the input before its time; thrown once the bytes before it were given out. If what it is compressed in is
  /// damaged, these may be wrong.
  package private(set) var failure: CheckpointError?
  /// Hashes every byte that is read, in order.
  private var observer: SHA256Hasher?

  /// A stream that reads `origin`.
  package init(_ origin: any ByteOrigin) {
    self.origin = origin
    name = origin.name
    modified = origin.modified
    length = origin.length
    containers = origin.containers
  }

  /// Opens a file; `-` is standard input.
  package convenience init(_ path: String, cancellation: Cancellation = Cancellation())
    throws(CheckpointError)
  {
    try self.init(DescriptorOrigin(path, cancellation))
  }

  /// The fraction of the input that was read, 0 to 1; nil if its size is unknown. For compressed input it is
  /// that of the compressed bytes.
  package var fractionDone: Double? { origin.fractionDone }

  /// The same bytes at any offset; nil for a pipe or the contents of a container.
  package func file() throws(CheckpointError) -> LocalFile? { try origin.file() }

  /// Hashes everything that is read from here on.
  package func startDigest() { observer = SHA256Hasher() }

  /// The digest of everything read since `startDigest`; ends the hashing.
  package func finishDigest() -> Digest? { observer?.finish() }

  /// The next bytes, at most `count`, without consuming them.
  package func peek(_ count: Int) throws(CheckpointError) -> [UInt8] {
    while filled - next < count {
      if next > 0 {
        buffer.replaceSubrange(0..<filled - next, with: buffer[next..<filled])
        filled -= next
        next = 0
      }
      let start = filled
      var more = 0
      unsafe try buffer.withMutableBytes { (bytes) throws(CheckpointError) in
        more = unsafe try fetch(
          into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]), behind: start - next)
      }
      guard more > 0 else { break }
      filled += more
    }
    return Array(buffer[next..<min(filled, next + count)])
  }

  /// Whether the input is at its end.
  package func isAtEnd() throws(CheckpointError) -> Bool { try peek(1).isEmpty }

  /// Whether everything was read that there is, even if the input broke off.
  package func isExhausted() throws(CheckpointError) -> Bool {
    if next == filled, failure?.kind == .incomplete { return true }
    return try isAtEnd()
  }

  /// Fills `target`; throws `.incomplete` if the input ends before.
  package func read(into target: UnsafeMutableRawBufferPointer, _ structure: String)
    throws(CheckpointError)
  {
    let done = unsafe try readAvailable(target)
    guard done == target.count else {
      throw failure
        ?? CheckpointError(
          .incomplete, "the input ends after \(done) of \(target.count) bytes",
          structure: structure,
          offset: position - UInt64(done), file: name)
    }
  }

  /// Counts and hashes bytes that were handed out.
  private func observe(_ bytes: UnsafeRawBufferPointer) {
    if let observer { unsafe observer.update(bytes.bytes) }
    position += UInt64(bytes.count)
  }

  /// The next `count` bytes. Memory grows with the bytes that arrive: a length found in the input is not
  /// trusted.
  package func read(_ count: Int, _ structure: String) throws(CheckpointError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let start = bytes.count
      let part = min(count - start, 1 << 20)
      bytes.append(contentsOf: repeatElement(0, count: part))
      unsafe try bytes.withMutableBytes { (all) throws(CheckpointError) in
        unsafe try read(into: UnsafeMutableRawBufferPointer(rebasing: all[start...]), structure)
      }
    }
    return bytes
  }

  /// The number of bytes left that may be skipped by seeking; nil if they must be read, by a digest or from a
  /// pipe.
  package var bytesToSkip: UInt64? {
    guard observer == nil, let length, length > position else { return nil }
    return length - position
  }

  /// Fills `target` up to the end of the input; returns the number of bytes.
  package func readAvailable(_ target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int
  {
    let count = unsafe try fill(target)
    unsafe observe(UnsafeRawBufferPointer(rebasing: target[..<count]))
    return count
  }

  private func fill(_ target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    var done = min(target.count, filled - next)
    unsafe buffer.withUnsafeBytes {
      unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[next..<next + done]))
    }
    next += done
    while done < target.count {
      let more = unsafe try fetch(
        into: UnsafeMutableRawBufferPointer(rebasing: target[done...]), behind: done)
      if more == 0 { break }
      done += more
    }
    return done
  }

  /// The next bytes of the origin; 0 at its end. An error is thrown only if nothing came before it that was not given
  /// out: of a source that breaks off, nothing of what came is to be lost.
  private func fetch(into target: UnsafeMutableRawBufferPointer, behind pending: Int)
    throws(CheckpointError) -> Int
  {
    do throws(CheckpointError) {
      if let failure { throw failure }
      return unsafe try origin.read(into: target)
    } catch {
      failure = error
      guard pending > 0 else { throw error }
      return 0
    }
  }

  /// Reads the next bytes, as many as are available; 0 at the end.
  package func readSome(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    guard next == filled else {
      let count = min(target.count, filled - next)
      return unsafe try readAvailable(UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
    }
    let count = unsafe try fetch(into: target, behind: 0)
    unsafe observe(UnsafeRawBufferPointer(rebasing: target[..<count]))
    return count
  }

  /// Passes over the rest, by seeking where that is possible. Returns how many bytes it has.
  package func skipToEnd() throws(CheckpointError) -> UInt64 {
    let start = position
    if let length, bytesToSkip != nil {
      try seek(to: length)
    } else {
      while try !isAtEnd() { _ = try read(min(filled - next, 1 << 16), "rest") }
    }
    return position - start
  }

  /// Reads the rest where skipping it is not enough: a pipe's writer waits for a reader, and a digest needs
  /// every byte.
  package func readToEnd() throws(CheckpointError) {
    guard observer != nil || length == nil else { return }
    var rest = [UInt8](repeating: 0, count: 1 << 20)
    var count = 0
    repeat {
      unsafe try rest.withMutableBytes { (bytes) throws(CheckpointError) in
        count = unsafe try readSome(into: bytes)
      }
    } while count > 0
  }

  /// Continues at `offset`, which is at most `length`; only if there is a length.
  package func seek(to offset: UInt64) throws(CheckpointError) {
    try origin.seek(to: offset)
    next = filled
    failure = nil
    position = offset
  }
}
