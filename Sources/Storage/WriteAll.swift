internal import CheckpointImage
internal import Glibc

/// The most bytes of one call. For larger ones the kernel allocates page cache in large folios, and where
/// memory is fragmented, compacting it takes longer than the copy (measured: 0.5 instead of 0.1 s for 512 MiB).
private let pieceSize = 1 << 17

/// Writes all bytes with a system call that may write fewer than it is given.
///
/// - Parameter call: writes a piece that starts at this distance from the first byte; returns as write(2).
func writeAll(
  _ bytes: RawSpan, _ name: String, at offset: UInt64, _ cancellation: Cancellation,
  _ call: (UnsafeRawBufferPointer, Int) -> Int
) throws(CheckpointError) {
  // SAFETY: pieces are slices, which check their bounds, and are used only during a call.
  unsafe try bytes.withUnsafeBytes { (buffer) throws(CheckpointError) in
    var done = 0
    while done < buffer.count {
      let end = min(buffer.count, done + pieceSize)
      let count = unsafe call(UnsafeRawBufferPointer(rebasing: buffer[done..<end]), done)
      if count < 0, errno == EINTR {
        try cancellation.check()
        continue
      }
      guard count > 0 else { throw .system("cannot write", name, at: offset + UInt64(done)) }
      done += count
    }
  }
}
