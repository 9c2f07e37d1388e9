public import CheckpointImage
internal import Glibc

/// Bytes read once, from first to last: a file or a pipe.
public final class InputStream {
  /// The name used in messages.
  public let name: String
  /// Bytes given out so far.
  public private(set) var position: UInt64 = 0
  /// Bytes of the input, where that is known beforehand.
  public let length: UInt64?
  /// When a file was last written to, in seconds and nanoseconds since 1970; nil for a pipe.
  public let modified: (seconds: Int, nanoseconds: Int)?
  private let descriptor: Int32
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var next = 0
  private var filled = 0
  /// Sees every byte that is read, in order (`--hash-source`).
  private let observer: SHA256Hasher?

  /// Opens a file; `-` is standard input.
  public init(_ path: String, hashing: Bool = false) throws(CheckpointError) {
    observer = hashing ? SHA256Hasher() : nil
    name = path == "-" ? "standard input" : path
    descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("cannot open", path) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system("cannot stat", path) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw CheckpointError(.io, "is a directory", file: name)
    }
    let isFile = status.st_mode & S_IFMT == S_IFREG
    length = isFile ? UInt64(status.st_size) : nil
    modified = isFile ? (status.st_mtim.tv_sec, status.st_mtim.tv_nsec) : nil
  }

  deinit {
    if descriptor != STDIN_FILENO { close(descriptor) }
  }

  /// The digest of everything read, if it was asked for; ends the hashing.
  public func finishDigest() -> Digest? { observer?.finish() }

  /// The next bytes, at most `count`, without taking them.
  public func peek(_ count: Int) throws(CheckpointError) -> [UInt8] {
    while filled - next < count {
      if next > 0 {
        buffer.replaceSubrange(0..<filled - next, with: buffer[next..<filled])
        filled -= next
        next = 0
      }
      let start = filled
      var more = 0
      unsafe try buffer.withMutableBytes { (bytes) throws(CheckpointError) in
        more = unsafe try readSome(UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
      }
      guard more > 0 else { break }
      filled += more
    }
    return Array(buffer[next..<min(filled, next + count)])
  }

  /// Whether nothing is left.
  public func isAtEnd() throws(CheckpointError) -> Bool { try peek(1).isEmpty }

  /// Fills `target`; an input that ends before is incomplete.
  func read(into target: UnsafeMutableRawBufferPointer, _ structure: String) throws(CheckpointError)
  {
    let done = unsafe try readAvailable(target)
    guard done == target.count else {
      throw CheckpointError(
        .incomplete, "the input ends after \(done) of \(target.count) bytes", structure: structure,
        offset: position, file: name)
    }
    if let observer { unsafe observer.update(UnsafeRawBufferPointer(target).bytes) }
    position += UInt64(target.count)
  }

  /// The next `count` bytes. Memory is taken as they arrive, not as a length in the input promises.
  public func read(_ count: Int, _ structure: String) throws(CheckpointError) -> [UInt8] {
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

  /// Fills pages of `buffer` from the input.
  public func read(pages: Range<Int>, of buffer: PageBuffer, _ structure: String)
    throws(CheckpointError)
  {
    unsafe try read(into: buffer.mutableBytes(pages), structure)
  }

  /// Fills `buffer` with whole pages, as many as are left; a partial last page is refused.
  public func readPages(_ buffer: PageBuffer) throws(CheckpointError) -> Int {
    let target = unsafe buffer.mutableBytes(0..<buffer.pageCount)
    let count = unsafe try readAvailable(target)
    if let observer {
      unsafe observer.update(UnsafeRawBufferPointer(rebasing: target[..<count]).bytes)
    }
    let (pages, rest) = count.quotientAndRemainder(dividingBy: Limits.pageSize)
    position += UInt64(count - rest)
    guard rest == 0 else {
      throw CheckpointError(
        .refused, "the last page has only \(rest) bytes: not a raw memory file?",
        offset: position, file: name)
    }
    return pages
  }

  /// Fills `target` as far as the input goes.
  private func readAvailable(_ target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int
  {
    var done = min(target.count, filled - next)
    unsafe buffer.withUnsafeBytes {
      unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[next..<next + done]))
    }
    next += done
    while done < target.count {
      let more = unsafe try readSome(UnsafeMutableRawBufferPointer(rebasing: target[done...]))
      if more == 0 { break }
      done += more
    }
    return done
  }

  private func readSome(_ target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    while true {
      try Interruption.check()
      let count = unsafe Glibc.read(descriptor, target.baseAddress, target.count)
      if count >= 0 { return count }
      guard errno == EINTR else { throw .system("cannot read", name, at: position) }
    }
  }
}
