public import CheckpointImage
internal import Synchronization

/// The wish of a caller to stop, passed to whatever may take long.
///
/// Storage looks at it before each read and write, workers before each piece of work; loops that do neither ask
/// for themselves. What was begun then ends in order: no unfinished file stays behind under its final name.
public final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)

  /// Nobody wishes to stop yet.
  public init() {}

  /// Asks for an end. This only sets a flag: any thread may do it, and a signal handler too.
  public func cancel() { flag.store(true, ordering: .relaxed) }

  /// Whether somebody asked for an end.
  public var isRequested: Bool { flag.load(ordering: .relaxed) }

  /// What work that was stopped fails with.
  public static let error = CheckpointError(.interrupted, "was cancelled")

  /// Fails with `.interrupted` if somebody asked for an end.
  public func check() throws(CheckpointError) {
    if isRequested { throw Self.error }
  }
}
