#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
internal import Storage

/// A small file under `/run/vmckpt` that one process at a time may hold.
final class LockFile {
  /// Where these files are.
  static let folder = "/run/vmckpt"

  private let path: String
  private let descriptor: Int32

  /// Opens or makes the file and locks it; nil if another process holds it.
  init?(_ name: String) throws(CheckpointError) {
    guard unsafe mkdir(Self.folder, 0o700) == 0 || errno == EEXIST else {
      throw .system("cannot make the folder", Self.folder)
    }
    let path = "\(Self.folder)/\(name)"
    while true {
      let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw .system("cannot open", path) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let code = errno
        close(descriptor)
        errno = code
        if code == EWOULDBLOCK { return nil }
        throw .system("cannot lock", path)
      }
      // Who held it before us may have taken it away between the two calls: then it is nobody's.
      var status = stat()
      if unsafe fstat(descriptor, &status) == 0, status.st_nlink > 0 {
        self.path = path
        self.descriptor = descriptor
        return
      }
      close(descriptor)
    }
  }

  deinit { close(descriptor) }

  /// The first bytes of it as text.
  func read(_ room: Int) throws(CheckpointError) -> String {
    var bytes = [UInt8](repeating: 0, count: room)
    let count = unsafe pread(descriptor, &bytes, room, 0)
    guard count >= 0 else { throw .system("cannot read", path) }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }

  /// Replaces the first bytes in one call, durably.
  func write(_ text: String) throws(CheckpointError) {
    let bytes = Array(text.utf8)
    guard unsafe pwrite(descriptor, bytes, bytes.count, 0) == bytes.count,
      fdatasync(descriptor) == 0
    else { throw .system("cannot write", path) }
  }

  /// Takes its name away.
  func remove() { unsafe unlink(path) }
}
#endif
