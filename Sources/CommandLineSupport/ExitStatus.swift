package import CheckpointImage

/// The exit statuses of all tools.
package enum ExitStatus: Int32, Sendable {
  /// Done; equal; intact.
  case success = 0
  /// The answer is no: different, damaged, incomplete, not found.
  case no = 1
  /// It could not be done.
  case failure = 2

  /// The exit status for an error.
  package init(_ error: CheckpointError) {
    switch error.kind {
    case .damaged, .incomplete: self = .no
    case .unsupported, .missingParent, .mismatch, .io, .refused, .interrupted: self = .failure
    }
  }
}
