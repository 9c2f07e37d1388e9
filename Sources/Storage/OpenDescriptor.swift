internal import CheckpointImage
internal import Glibc

/// Opens a path. A FIFO is waited for until it has another end, unless the work is cancelled.
///
/// - Throws: `.interrupted`, or `.io` with what was being done: `doing`.
func openDescriptor(
  _ path: String, _ flags: Int32, _ doing: String, _ cancellation: Cancellation
) throws(CheckpointError) -> Int32 {
  while true {
    try cancellation.check()
    let descriptor = unsafe open(path, flags | O_CLOEXEC)
    if descriptor >= 0 { return descriptor }
    guard errno == EINTR else { throw .system(doing, path) }
  }
}
