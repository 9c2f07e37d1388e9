package import CheckpointImage

/// Bytes read once, from first to last: of a file or a pipe, or expanded from another stream.
package final class InputStream {
  /// The name used in messages.
  package let name: String
  /// Bytes given out so far.
  package private(set) var position: UInt64 = 0
  /// When the source was last written to, in seconds and nanoseconds since 1970; nil if unknown.
  package let modified: (seconds: Int, nanoseconds: Int)?
  /// What the bytes were taken out of, outermost first, such as `xz`, `tar member save-1`.
  package let containers: [String]
  /// Bytes of an input in which `seek` works.
  package let length: UInt64?
  /// The wish of whoever opened it to stop.
  package var cancellation: Cancellation { origin.cancellation }
  private let origin: any ByteOrigin
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var next = 0
  private var filled = 0
  /// Sees every byte that is read, in order (`--hash-source`).
  private var observer: SHA256Hasher?

  /// Reads from `origin`.
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

  /// How much of the input was read, from 0 to 1; nil if its size is unknown. Of compressed input, how
  /// much of the compressed bytes.
  package var fractionDone: Double? { origin.fractionDone }

  /// The same bytes at any offset; nil for a pipe, and for what comes out of a container.
  package func file() throws(CheckpointError) -> LocalFile? { try origin.file() }

  /// Hashes everything from here on.
  package func startDigest() { observer = SHA256Hasher() }

  /// The digest of everything read since `startDigest`; ends the hashing.
  package func finishDigest() -> Digest? { observer?.finish() }

  /// The next bytes, at most `count`, without taking them.
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
        more = unsafe try origin.read(
          into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
      }
      guard more > 0 else { break }
      filled += more
    }
    return Array(buffer[next..<min(filled, next + count)])
  }

  /// Whether nothing is left.
  package func isAtEnd() throws(CheckpointError) -> Bool { try peek(1).isEmpty }

  /// Fills `target`; an input that ends before is incomplete.
  package func read(into target: UnsafeMutableRawBufferPointer, _ structure: String)
    throws(CheckpointError)
  {
    let done = unsafe try readAvailable(target)
    guard done == target.count else {
      throw CheckpointError(
        .incomplete, "the input ends after \(done) of \(target.count) bytes", structure: structure,
        offset: position - UInt64(done), file: name)
    }
  }

  /// Takes note of bytes that are given out.
  private func observe(_ bytes: UnsafeRawBufferPointer) {
    if let observer { unsafe observer.update(bytes.bytes) }
    position += UInt64(bytes.count)
  }

  /// The next `count` bytes. Memory is taken as they arrive, not as a length in the input promises.
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

  /// How many bytes are left that may be passed over without being read; nil if somebody waits for them.
  package var bytesToSkip: UInt64? {
    guard observer == nil, let length, length > position else { return nil }
    return length - position
  }

  /// Fills `target` as far as the input goes.
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
      let more = unsafe try origin.read(
        into: UnsafeMutableRawBufferPointer(rebasing: target[done...]))
      if more == 0 { break }
      done += more
    }
    return done
  }

  /// Reads the next bytes, as many as there are at once; 0 at the end.
  package func readSome(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    guard next == filled else {
      let count = min(target.count, filled - next)
      return unsafe try readAvailable(UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
    }
    let count = unsafe try origin.read(into: target)
    unsafe observe(UnsafeRawBufferPointer(rebasing: target[..<count]))
    return count
  }

  /// Passes over what is left, if somebody waits for that: a pipe's writer, or a digest.
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

  /// Goes to a place at most at `length`, which must be known.
  package func seek(to offset: UInt64) throws(CheckpointError) {
    try origin.seek(to: offset)
    next = filled
    position = offset
  }
}
