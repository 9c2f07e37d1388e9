internal import CheckpointImage
internal import Glibc

/// Bytes for one call: for larger ones the kernel takes page cache in large folios, and where memory
/// is fragmented putting these together takes longer than the copy (measured: 0.1 or 0.5 s for 512 MiB).
private let pieceSize = 1 << 17

/// Writes all bytes by a system call that may take a part of what it is given.
///
/// - Parameter call: writes a piece whose first byte is so many bytes behind the beginning; returns as write(2).
func writeAll(
  _ bytes: RawSpan, _ name: String, at offset: UInt64, _ cancellation: Cancellation,
  _ call: (UnsafeRawBufferPointer, Int) -> Int
) throws(CheckpointError) {
  try cancellation.check()
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
