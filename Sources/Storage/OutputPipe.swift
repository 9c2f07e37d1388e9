package import CheckpointImage
internal import Glibc

/// Standard output, a pipe or a device: what passes bytes on as they are written.
package final class OutputPipe: ByteSink {
  package let name: String
  package private(set) var position: UInt64 = 0
  private let descriptor: Int32
  private let closes: Bool
  private let cancellation: Cancellation

  /// Standard output if `path` is `-`, or the pipe or device that is there; nil if there is none.
  init?(_ path: String, _ cancellation: Cancellation) throws(CheckpointError) {
    self.cancellation = cancellation
    if path == "-" {
      name = "standard output"
      descriptor = STDOUT_FILENO
      closes = false
      guard isatty(STDOUT_FILENO) == 0 else {
        throw CheckpointError(.refused, "is a terminal; use a file or a pipe", file: name)
      }
    } else {
      var status = stat()
      guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG,
        status.st_mode & S_IFMT != S_IFDIR
      else { return nil }
      name = path
      descriptor = unsafe Glibc.open(path, O_WRONLY | O_CLOEXEC)
      closes = true
      guard descriptor >= 0 else { throw .system("cannot create", path) }
    }
  }

  /// Writes to a descriptor that the caller has open, and closes.
  package init(
    _ descriptor: Int32, name: String, cancellation: Cancellation = Cancellation()
  ) {
    self.descriptor = descriptor
    self.name = name
    self.cancellation = cancellation
    closes = false
  }

  deinit {
    if closes { close(descriptor) }
  }

  package func write(_ bytes: RawSpan) throws(CheckpointError) {
    unsafe try writeAll(bytes, name, at: position, cancellation) { (piece, _) in
      unsafe Glibc.write(descriptor, piece.baseAddress, piece.count)
    }
    position += UInt64(bytes.byteCount)
  }

  /// Everything was passed on already.
  package func commit() throws(CheckpointError) { try cancellation.check() }
}
