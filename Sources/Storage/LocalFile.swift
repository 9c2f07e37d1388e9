package import CheckpointImage
internal import Glibc
internal import Synchronization

/// A local file, read at any offset by any thread.
package final class LocalFile: RangeReader {
  package let name: String
  /// The length in bytes when the file was opened.
  package let length: UInt64
  package let identity: StorageIdentity
  /// Stops reads; set by whoever opened the file.
  package let cancellation: Cancellation
  private let path: String
  private let spool: TemporaryFile?
  private let open: OpenFiles
  private let taken = Atomic<UInt64>(0)

  package var bytesRead: UInt64 { taken.load(ordering: .relaxed) }

  /// Opens a regular file; `-` is standard input, which is spooled to a temporary file.
  ///
  /// - Parameter open: the group of files whose open descriptors are limited together.
  package convenience init(
    _ path: String, among open: OpenFiles = OpenFiles(), cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) {
    if path == "-" {
      try self.init(spooling: InputStream(path, cancellation: cancellation))
    } else {
      try self.init(path: path, name: path, spool: nil, open, cancellation)
    }
  }

  /// Opens a regular file; `name` is used in messages.
  convenience init(_ path: String, name: String, cancellation: Cancellation)
    throws(CheckpointError)
  {
    try self.init(path: path, name: name, spool: nil, OpenFiles(), cancellation)
  }

  /// Whether a name leads to a block device, such as a logical volume.
  package static func isBlockDevice(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFBLK
  }

  /// Copies the rest of a stream to an unlinked temporary file.
  package convenience init(spooling input: InputStream) throws(CheckpointError) {
    let (spool, cut) = try Self.spool(input)
    if let cut { throw cut }
    try self.init(spool, name: input.name)
  }

  /// Copies what there is of a stream to an unlinked temporary file; `cut` is what ended it before its time.
  package static func spooling(whatThereIsOf input: InputStream) throws(CheckpointError) -> (
    file: LocalFile, cut: CheckpointError?
  ) {
    let (spool, cut) = try spool(input)
    return (try LocalFile(spool, name: input.name), cut)
  }

  /// Reads what was written to a temporary file; `name` is used in messages.
  package convenience init(_ spool: TemporaryFile, name: String) throws(CheckpointError) {
    try self.init(path: "", name: name, spool: spool, OpenFiles(), spool.cancellation)
  }

  private init(
    path: String, name: String, spool: TemporaryFile?, _ open: OpenFiles,
    _ cancellation: Cancellation
  ) throws(CheckpointError) {
    self.path = path
    self.name = name
    self.spool = spool
    self.open = open
    self.cancellation = cancellation
    let descriptor: Int32
    if let spool { descriptor = spool.descriptor } else { descriptor = try Self.open(path) }
    defer { if spool == nil { close(descriptor) } }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system("cannot stat", name) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CheckpointError(.io, "is not a regular file", file: name)
    }
    length = UInt64(status.st_size)
    identity = StorageIdentity(status)
  }

  deinit {
    if spool == nil { open.forget(ObjectIdentifier(self)) }
  }

  private static func open(_ path: String) throws(CheckpointError) -> Int32 {
    // Non-blocking, so that a FIFO is refused instead of waited for.
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("cannot open", path) }
    return descriptor
  }

  func openDescriptor() throws(CheckpointError) -> Int32 {
    let descriptor = try Self.open(path)
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, StorageIdentity(status) == identity else {
      close(descriptor)
      throw CheckpointError(.io, "was replaced by another file meanwhile", file: name)
    }
    return descriptor
  }

  /// Lends a descriptor to `body`. A spooled stream keeps its own, since its file has no name to be opened by.
  private func withDescriptor<Value>(_ body: (Int32) throws(CheckpointError) -> Value)
    throws(CheckpointError) -> Value
  {
    if let spool { return try body(spool.descriptor) }
    let descriptor = try open.acquire(self)
    defer { open.release(self) }
    return try body(descriptor)
  }

  package func fetch(_ ranges: [Range<UInt64>]) throws(CheckpointError) -> [ArraySlice<UInt8>] {
    var results: [ArraySlice<UInt8>] = []
    for range in ranges {
      var bytes: [UInt8] = []
      try fetch(range, into: &bytes)
      results.append(bytes[...])
    }
    return results
  }

  package func fetch(_ range: Range<UInt64>, into bytes: inout [UInt8]) throws(CheckpointError) {
    bytes.removeAll(keepingCapacity: true)
    // JUSTIFICATION: zeroing bytes that are overwritten at once costs a tenth of a verify. SAFETY: `read`
    // fills the whole range or throws, and then `filled` stays 0.
    try bytes.append(addingCapacity: range.count) { (span) throws(CheckpointError) in
      unsafe try span.withUnsafeMutableBufferPointer { (buffer, filled) throws(CheckpointError) in
        let target = UnsafeMutableRawBufferPointer(buffer)
        unsafe try read(
          into: UnsafeMutableRawBufferPointer(rebasing: target[..<range.count]),
          at: range.lowerBound)
        filled = range.count
      }
    }
  }

  /// Fills `buffer` with the bytes at `offset`; throws `.incomplete` if the file ends before.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64)
    throws(CheckpointError)
  {
    guard UInt64(buffer.count) <= length, offset <= length - UInt64(buffer.count) else {
      throw CheckpointError(
        .incomplete, "the file ends at \(length), expected \(buffer.count) bytes here",
        offset: offset, file: name)
    }
    try cancellation.check()
    try withDescriptor { (descriptor) throws(CheckpointError) in
      var done = 0
      while done < buffer.count {
        let count = unsafe pread(
          descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done,
          off_t(offset) + off_t(done))
        if count < 0, errno == EINTR {
          try cancellation.check()
          continue
        }
        guard count >= 0 else { throw .system("cannot read", name, at: offset) }
        guard count > 0 else {
          throw CheckpointError(
            .incomplete, "the file was truncated while it was read", offset: offset, file: name)
        }
        done += count
      }
    }
    taken.wrappingAdd(UInt64(buffer.count), ordering: .relaxed)
  }

  /// A new descriptor of the file, for a C library; the caller closes it.
  package func ownDescriptor() throws(CheckpointError) -> Int32 {
    try withDescriptor { (descriptor) throws(CheckpointError) in
      let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
      guard own >= 0 else { throw .system("cannot open again", name) }
      return own
    }
  }

  package func nextData(from offset: UInt64) throws(CheckpointError) -> UInt64 {
    try withDescriptor { (descriptor) throws(CheckpointError) in
      // SEEK_DATA of Linux, which Swift's import of the C library lacks.
      let found = lseek(descriptor, off_t(offset), 3)
      if found >= 0 { return UInt64(found) }
      // Without support from the file system, everything counts as data.
      return errno == ENXIO ? length : offset
    }
  }

  private static func spool(_ input: InputStream) throws(CheckpointError) -> (
    TemporaryFile, cut: CheckpointError?
  ) {
    let spool = try TemporaryFile(cancellation: input.cancellation)
    var offset: UInt64 = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      var count = 0
      // SAFETY: the pointer is used only inside the closure.
      do throws(CheckpointError) {
        unsafe try buffer.withMutableBytes { (bytes) throws(CheckpointError) in
          count = unsafe try input.readSome(into: bytes)
        }
      } catch {
        guard error.kind == .incomplete else { throw error }
        return (spool, error)
      }
      if count == 0 { return (spool, nil) }
      unsafe try buffer.withMutableBytes { (bytes) throws(CheckpointError) in
        unsafe try spool.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
      }
      offset += UInt64(count)
    }
  }
}
