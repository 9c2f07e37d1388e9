internal import CheckpointImage
internal import Glibc

/// The bytes of a file or a pipe.
final class DescriptorOrigin: ByteOrigin {
  let name: String
  let modified: (seconds: Int, nanoseconds: Int)?
  let length: UInt64?
  let containers: [String] = []
  private let descriptor: Int32
  let cancellation: Cancellation
  private let identity: StorageIdentity
  private let knownLength: UInt64?
  private var position: UInt64 = 0

  /// Opens a file; `-` is standard input.
  init(_ path: String, _ cancellation: Cancellation) throws(CheckpointError) {
    self.cancellation = cancellation
    name = path == "-" ? "standard input" : path
    descriptor =
      path == "-"
      ? STDIN_FILENO : try openDescriptor(path, O_RDONLY, "cannot open", cancellation)
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system("cannot stat", path) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw CheckpointError(.io, "is a directory", file: name)
    }
    identity = StorageIdentity(status)
    // Standard input may be a file that was partly read by another program; its length says nothing then.
    let isFile = status.st_mode & S_IFMT == S_IFREG
    length = isFile && path != "-" ? UInt64(status.st_size) : nil
    modified = isFile ? (status.st_mtim.tv_sec, status.st_mtim.tv_nsec) : nil
    knownLength = isFile ? UInt64(status.st_size) : nil
  }

  deinit {
    if descriptor != STDIN_FILENO { close(descriptor) }
  }

  var fractionDone: Double? {
    knownLength.flatMap { $0 == 0 ? nil : min(1, Double(position) / Double($0)) }
  }

  func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    while true {
      try cancellation.check()
      let count = unsafe Glibc.read(descriptor, target.baseAddress, target.count)
      if count >= 0 {
        position += UInt64(count)
        return count
      }
      guard errno == EINTR else { throw .system("cannot read", name, at: position) }
    }
  }

  func seek(to offset: UInt64) throws(CheckpointError) {
    guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else {
      throw .system("cannot seek", name, at: offset)
    }
    position = offset
  }

  func file() throws(CheckpointError) -> LocalFile? {
    guard length != nil else { return nil }
    let file = try LocalFile(name, cancellation: cancellation)
    guard file.identity == identity else {
      throw CheckpointError(.io, "was replaced by another file meanwhile", file: name)
    }
    return file
  }
}
