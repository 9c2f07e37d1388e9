package import CheckpointImage
internal import Glibc

/// An unlinked file in `$TMPDIR` or /tmp, for data that should not be held in memory. It is deleted when the
/// object is released.
package final class TemporaryFile: Sendable {
  package let descriptor: Int32
  /// Stops reads and writes; set by whoever created the file.
  package let cancellation: Cancellation
  private let folder: String

  /// Creates an empty file; child processes do not inherit it.
  package init(cancellation: Cancellation = Cancellation()) throws(CheckpointError) {
    self.cancellation = cancellation
    // SAFETY: the text is copied at once, and nothing here changes the environment.
    folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(folder)/vmckpt.XXXXXX".utf8CString)
    descriptor = unsafe mkstemp(&template)
    guard descriptor >= 0 else { throw .system("cannot make a temporary file here", folder) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unsafe unlink(template)
  }

  deinit { close(descriptor) }

  /// Writes bytes at offset 0.
  package func write(_ bytes: [UInt8]) throws(CheckpointError) {
    // SAFETY, also of `contents`: the pointer is used only inside the closure.
    unsafe try bytes.rawSpan.withUnsafeBytes { (buffer) throws(CheckpointError) in
      unsafe try write(buffer, at: 0)
    }
  }

  /// Writes all bytes at `offset`.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(CheckpointError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe pwrite(
        descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done,
        off_t(offset) + off_t(done))
      if count < 0, errno == EINTR {
        try cancellation.check()
        continue
      }
      guard count > 0 else {
        throw .system("cannot write a temporary file here (TMPDIR may name another folder)", folder)
      }
      done += count
    }
  }

  /// The contents, up to `limit` bytes.
  package func contents(upTo limit: Int) throws(CheckpointError) -> [UInt8] {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .system("cannot read a temporary file in", folder)
    }
    var bytes = [UInt8](repeating: 0, count: min(limit, Int(status.st_size)))
    unsafe try bytes.withMutableBytes { (buffer) throws(CheckpointError) in
      unsafe try read(into: buffer, at: 0)
    }
    return bytes
  }

  /// Fills `buffer` with the bytes at `offset`.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64)
    throws(CheckpointError)
  {
    var done = 0
    while done < buffer.count {
      let count = unsafe pread(
        descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done,
        off_t(offset) + off_t(done))
      if count < 0, errno == EINTR {
        try cancellation.check()
        continue
      }
      guard count > 0 else { throw .system("cannot read a temporary file in", folder) }
      done += count
    }
  }
}
