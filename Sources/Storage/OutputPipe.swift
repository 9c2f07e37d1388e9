package import CheckpointImage
internal import Glibc

/// A sink that passes bytes on at once: standard output, a pipe or a device.
package final class OutputPipe: ByteSink {
  package let name: String
  package private(set) var position: UInt64 = 0
  private let descriptor: Int32
  private let closes: Bool
  private let cancellation: Cancellation

  /// Opens standard output if `path` is `-`, else the pipe or device at `path`; nil if there is none.
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
      descriptor = try openDescriptor(path, O_WRONLY, "cannot create", cancellation)
      closes = true
    }
  }

  /// Writes to an open descriptor, which stays the caller's to close.
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
    try cancellation.check()
    // SAFETY: `piece` is valid during the call.
    unsafe try writeAll(bytes, name, at: position, cancellation) { (piece, _) in
      unsafe Glibc.write(descriptor, piece.baseAddress, piece.count)
    }
    position += UInt64(bytes.byteCount)
  }

  /// Only checks for cancellation: everything was passed on already.
  package func commit() throws(CheckpointError) { try cancellation.check() }
}
