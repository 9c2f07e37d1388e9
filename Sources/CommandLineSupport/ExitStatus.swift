package import CheckpointImage

/// The exit statuses of all tools.
package enum ExitStatus: Int32, Sendable {
  /// Done, the same, sound.
  case success = 0
  /// The answer is no: it differs, is damaged, is incomplete.
  case no = 1
  /// It could not be done.
  case failure = 2

  /// The status an error leads to.
  package init(_ error: CheckpointError) {
    switch error.kind {
    case .damaged, .incomplete: self = .no
    case .unsupported, .missingParent, .mismatch, .io, .refused, .interrupted: self = .failure
    }
  }
}
