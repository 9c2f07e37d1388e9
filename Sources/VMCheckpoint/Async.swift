public import CheckpointImage
internal import Dispatch
public import Storage

/// The same verbs for callers on Swift concurrency: the work runs on a thread of its own, and cancelling the task
/// cancels it.
extension Checkpoint {
  /// Opens the image at a path of this machine.
  public static func open(at path: String, searching folders: [String] = [])
    async throws(CheckpointError) -> Checkpoint
  {
    try await onOwnThread { (cancellation) throws(CheckpointError) in
      try Checkpoint(at: path, searching: folders, cancellation: cancellation)
    }
  }

  /// Captures one moment into `sink`, which is committed.
  @discardableResult
  public static func capture(
    _ source: sending CaptureSource, parent: Checkpoint? = nil,
    options: WriteOptions = WriteOptions(), to sink: sending any ByteSink,
    progress: @escaping @Sendable (Double?) -> Void = { _ in }
  ) async throws(CheckpointError) -> Digest {
    let handed = Handed((source, sink))
    return try await onOwnThread { (cancellation) throws(CheckpointError) in
      try capture(
        handed.value.0, parent: parent, options: options, to: handed.value.1,
        cancellation: cancellation, progress: progress)
    }
  }

  /// Makes one image of the moment's chain in `sink`, which is committed.
  public func merge(
    onto ancestor: Digest? = nil, recompress: Bool = false, options: WriteOptions = WriteOptions(),
    to sink: sending any ByteSink, progress: @escaping @Sendable (Double?) -> Void = { _ in }
  ) async throws(CheckpointError) {
    let handed = Handed(sink)
    try await Self.onOwnThread { (cancellation) throws(CheckpointError) in
      try merge(
        onto: ancestor, recompress: recompress, options: options, to: handed.value,
        cancellation: cancellation, progress: progress)
    }
  }

  /// Checks the image at a path and all its ancestors.
  public static func verify(
    at path: String, searching folders: [String] = [], quick: Bool = false, threads: Int? = nil,
    progress: @escaping @Sendable (Double?) -> Void = { _ in }
  ) async throws(CheckpointError) -> VerificationReport {
    try await onOwnThread { (cancellation) throws(CheckpointError) in
      try verify(
        at: path, searching: folders, quick: quick, threads: threads, cancellation: cancellation,
        progress: progress)
    }
  }

  /// The pages that differ between an earlier moment and this one.
  public func differences(from earlier: Checkpoint) async throws(CheckpointError)
    -> [PageDifference]
  {
    try await Self.onOwnThread { (_) throws(CheckpointError) in
      try differences(from: earlier)
    }
  }

  /// Writes the moment in a format that other programs read into `sink`, which is committed.
  @discardableResult
  public func export(
    as format: ExportFormat, to sink: sending any ByteSink, threads: Int? = nil,
    progress: @escaping @Sendable (Double?) -> Void = { _ in }
  ) async throws(CheckpointError) -> UInt64 {
    let handed = Handed(sink)
    return try await Self.onOwnThread { (cancellation) throws(CheckpointError) in
      try export(
        as: format, to: handed.value, threads: threads, cancellation: cancellation,
        progress: progress)
    }
  }

  /// Something that one thread hands on to another, and uses no more.
  private struct Handed<Value>: @unchecked Sendable {
    // SAFETY: it was given as `sending`, and only the work's own thread uses it.
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  private static func onOwnThread<Value: Sendable>(
    _ work: @escaping @Sendable (Cancellation) throws(CheckpointError) -> Value
  ) async throws(CheckpointError) -> Value {
    let cancellation = Cancellation()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
          continuation.resume(
            returning: Result { () throws(CheckpointError) in try work(cancellation) })
        }
      }
    } onCancel: {
      cancellation.cancel()
    }
    return try result.get()
  }
}
