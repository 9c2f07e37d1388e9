package import CheckpointImage
internal import Glibc

extension CheckpointError {
  /// The error of the last system call, with the text of `strerror`.
  package static func system(_ doing: String, _ file: String, at offset: UInt64? = nil)
    -> CheckpointError
  {
    // SAFETY: the text is copied at once.
    let text = unsafe String(cString: strerror(errno))
    return CheckpointError(.io, "\(doing): \(text)", offset: offset, file: file)
  }
}
