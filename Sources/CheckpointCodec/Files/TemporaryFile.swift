internal import CheckpointImage
internal import Glibc

/// A file without a name in `$TMPDIR` or /tmp, for what memory should not hold. It ends with its last user.
final class TemporaryFile: Sendable {
  let descriptor: Int32
  private let folder: String

  init() throws(CheckpointError) {
    folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(folder)/vmckpt.XXXXXX".utf8CString)
    descriptor = unsafe mkstemp(&template)
    guard descriptor >= 0 else { throw .system("cannot make a temporary file in", folder) }
    unsafe unlink(template)
  }

  deinit { close(descriptor) }

  /// Writes all bytes at `offset`.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(CheckpointError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe pwrite(
        descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done,
        off_t(offset) + off_t(done))
      if count < 0, errno == EINTR, Interruption.received == 0 { continue }
      guard count > 0 else {
        throw .system("cannot write a temporary file (TMPDIR may name another folder) in", folder)
      }
      done += count
    }
  }

  /// Fills `buffer` with the bytes at `offset`.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(CheckpointError) {
    var done = 0
    while done < buffer.count {
      let count = unsafe pread(
        descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done,
        off_t(offset) + off_t(done))
      if count < 0, errno == EINTR, Interruption.received == 0 { continue }
      guard count > 0 else { throw .system("cannot read a temporary file in", folder) }
      done += count
    }
  }
}
