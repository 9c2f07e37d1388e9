package import CheckpointImage
internal import Glibc
internal import Synchronization

/// A file read at any offset, by any thread.
package final class InputFile: Sendable {
  /// The name used in messages.
  package let name: String
  /// Bytes of the file when it was opened.
  package let length: UInt64
  private let path: String
  /// The file behind the name.
  package let identity: FileIdentity
  private let spool: TemporaryFile?
  private let taken = Atomic<UInt64>(0)

  /// Bytes read so far; what was read twice counts twice.
  package var bytesRead: UInt64 { taken.load(ordering: .relaxed) }

  /// Opens a regular file; `-` is standard input, which is spooled.
  package convenience init(_ path: String) throws(CheckpointError) {
    if path == "-" {
      try self.init(spooling: InputStream(path))
    } else {
      try self.init(path: path, name: path, spool: nil)
    }
  }

  /// Reads what is left of a stream into an unlinked temporary file.
  package convenience init(spooling input: InputStream) throws(CheckpointError) {
    try self.init(path: "", name: input.name, spool: Self.spool(input))
  }

  /// Reads what was written to a temporary file.
  package convenience init(_ spool: TemporaryFile, name: String) throws(CheckpointError) {
    try self.init(path: "", name: name, spool: spool)
  }

  private init(path: String, name: String, spool: TemporaryFile?) throws(CheckpointError) {
    self.path = path
    self.name = name
    self.spool = spool
    let descriptor: Int32
    if let spool { descriptor = spool.descriptor } else { descriptor = try Self.open(path) }
    defer { if spool == nil { close(descriptor) } }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system("cannot stat", name) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CheckpointError(.io, "is not a regular file", file: name)
    }
    length = UInt64(status.st_size)
    identity = FileIdentity(status)
  }

  deinit {
    if spool == nil { OpenFiles.shared.forget(ObjectIdentifier(self)) }
  }

  private static func open(_ path: String) throws(CheckpointError) -> Int32 {
    // Not blocking, so that a FIFO of that name is refused instead of waited for.
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("cannot open", path) }
    return descriptor
  }

  func openDescriptor() throws(CheckpointError) -> Int32 {
    let descriptor = try Self.open(path)
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, FileIdentity(status) == identity else {
      close(descriptor)
      throw CheckpointError(.io, "was replaced by another file meanwhile", file: name)
    }
    return descriptor
  }

  /// Fills `buffer` with the bytes at `offset`; a file that ends before is incomplete.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64)
    throws(CheckpointError)
  {
    guard UInt64(buffer.count) <= length, offset <= length - UInt64(buffer.count) else {
      throw CheckpointError(
        .incomplete, "the file ends at \(length), expected \(buffer.count) bytes here",
        offset: offset, file: name)
    }
    // A spooled pipe could not be opened again: its descriptor is its own.
    let descriptor = if let spool { spool.descriptor } else { try OpenFiles.shared.acquire(self) }
    defer { if spool == nil { OpenFiles.shared.release(self) } }
    var done = 0
    while done < buffer.count {
      let count = unsafe pread(
        descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done,
        off_t(offset) + off_t(done))
      if count < 0 {
        if errno == EINTR && Interruption.received == 0 { continue }
        throw .system("cannot read", name, at: offset)
      }
      guard count > 0 else {
        throw CheckpointError(
          .incomplete, "the file was cut while it was read", offset: offset, file: name)
      }
      done += count
    }
    taken.wrappingAdd(UInt64(done), ordering: .relaxed)
  }

  /// A descriptor of the file that is the caller's own, for a library that wants one.
  package func ownDescriptor() throws(CheckpointError) -> Int32 {
    let descriptor = if let spool { spool.descriptor } else { try OpenFiles.shared.acquire(self) }
    defer { if spool == nil { OpenFiles.shared.release(self) } }
    let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard own >= 0 else { throw .system("cannot open again", name) }
    return own
  }

  /// The next offset that does not lie in a hole; where the file has none, the end of the file.
  package func nextData(from offset: UInt64) throws(CheckpointError) -> UInt64 {
    let descriptor = if let spool { spool.descriptor } else { try OpenFiles.shared.acquire(self) }
    defer { if spool == nil { OpenFiles.shared.release(self) } }
    // Linux's SEEK_DATA, which Swift's import of the C library leaves out.
    let found = lseek(descriptor, off_t(offset), 3)
    if found >= 0 { return UInt64(found) }
    // A file system that cannot tell has no holes.
    return errno == ENXIO ? length : offset
  }

  /// The `count` bytes at `offset`.
  package func bytes(at offset: UInt64, count: Int) throws(CheckpointError) -> [UInt8] {
    // Checked before memory is taken: a length in a file may say anything.
    guard count >= 0, UInt64(count) <= length, offset <= length - UInt64(count) else {
      throw CheckpointError(
        .incomplete, "the file ends at \(length), expected \(count) bytes here", offset: offset,
        file: name)
    }
    var failure: CheckpointError?
    // JUSTIFICATION: zeroing what is overwritten at once costs a tenth of a verify. SAFETY: all `count`
    // bytes are read, or the array is empty.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(CheckpointError) {
        let target = UnsafeMutableRawBufferPointer(buffer)
        unsafe try read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<count]), at: offset)
        filled = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  private static func spool(_ input: InputStream) throws(CheckpointError) -> TemporaryFile {
    let spool = try TemporaryFile()
    var offset: UInt64 = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      var count = 0
      unsafe try buffer.withMutableBytes { (bytes) throws(CheckpointError) in
        count = unsafe try input.readSome(into: bytes)
        unsafe try spool.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
      }
      if count == 0 { return spool }
      offset += UInt64(count)
    }
  }
}
