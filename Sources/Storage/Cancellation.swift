public import CheckpointImage
internal import Synchronization

/// A request to stop, passed down to everything that may take long.
///
/// Storage checks it before each read and each write to a pipe, and workers before each job; other long loops check it
/// themselves. What was begun is then cleaned up: no unfinished file stays under its final name.
public final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)

  /// A cancellation that has not been requested.
  public init() {}

  /// Requests the stop. Only sets a flag, so any thread and any signal handler may call it.
  public func cancel() { flag.store(true, ordering: .relaxed) }

  /// Whether a stop was requested.
  public var isRequested: Bool { flag.load(ordering: .relaxed) }

  /// The error of work that was stopped.
  public static let error = CheckpointError(.interrupted, "was cancelled")

  /// Throws `.interrupted` if a stop was requested.
  public func check() throws(CheckpointError) {
    if isRequested { throw Self.error }
  }
}
