public import CheckpointImage

/// Bytes read once, from first to last: of a file or a pipe, or expanded from another stream.
public final class InputStream {
  /// The name used in messages.
  public let name: String
  /// Bytes given out so far.
  public private(set) var position: UInt64 = 0
  /// When the source was last written to, in seconds and nanoseconds since 1970; nil if unknown.
  public let modified: (seconds: Int, nanoseconds: Int)?
  /// What the bytes were taken out of, outermost first, such as `xz`, `tar member save-1`.
  public let containers: [String]
  /// Bytes of an input in which `seek` works.
  package let length: UInt64?
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
  public convenience init(_ path: String) throws(CheckpointError) {
    try self.init(DescriptorOrigin(path))
  }

  /// How much of the input was read, from 0 to 1; nil if its size is unknown. Of compressed input, how
  /// much of the compressed bytes.
  public var fractionDone: Double? { origin.fractionDone }

  /// The same bytes at any offset; nil for a pipe, and for what comes out of a container.
  public func file() throws(CheckpointError) -> InputFile? { try origin.file() }

  /// Hashes everything from here on.
  public func startDigest() { observer = SHA256Hasher() }

  /// The digest of everything read since `startDigest`; ends the hashing.
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
        more = unsafe try origin.read(
          into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
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
    unsafe observe(UnsafeRawBufferPointer(target))
  }

  /// Takes note of bytes that are given out.
  private func observe(_ bytes: UnsafeRawBufferPointer) {
    if let observer { unsafe observer.update(bytes.bytes) }
    position += UInt64(bytes.count)
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

  /// Fills slots of `buffer` with whole pages, as many as are left; a partial last page is an error.
  ///
  /// - Parameter wanted: if false, the pages are passed over where that is possible.
  public func readPages(_ slots: Range<Int>, of buffer: PageBuffer, wanted: Bool = true)
    throws(CheckpointError) -> Int
  {
    if !wanted, observer == nil, let length, length > position {
      let left = Int(clamping: (length - position) / UInt64(Limits.pageSize))
      if left > 0 {
        let count = min(slots.count, left)
        try seek(to: position + UInt64(count * Limits.pageSize))
        return count
      }
    }
    let target = unsafe buffer.mutableBytes(slots)
    let count = unsafe try readAvailable(target)
    if let observer {
      unsafe observer.update(UnsafeRawBufferPointer(rebasing: target[..<count]).bytes)
    }
    let (pages, rest) = count.quotientAndRemainder(dividingBy: Limits.pageSize)
    position += UInt64(count - rest)
    guard rest == 0 else {
      // Of a pipe, what came until then may be all there is.
      throw CheckpointError(
        length == nil ? .incomplete : .refused,
        "the last page has only \(rest) bytes: it broke off, or is no plain memory",
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
      _ = unsafe try readAvailable(UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
      unsafe observe(UnsafeRawBufferPointer(rebasing: target[..<count]))
      return count
    }
    let count = unsafe try origin.read(into: target)
    unsafe observe(UnsafeRawBufferPointer(rebasing: target[..<count]))
    return count
  }

  /// Passes over what is left, if somebody waits for that: a pipe's writer, or a digest.
  public func readToEnd() throws(CheckpointError) {
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
