internal import CheckpointImage
internal import Dispatch
internal import Synchronization

/// A piece of work under way.
final class Job<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, CheckpointError>?>(nil)
  private let done = DispatchSemaphore(value: 0)

  func complete(_ value: Result<Value, CheckpointError>) {
    result.withLock { $0 = value }
    done.signal()
  }

  /// Waits for the end; may be called once.
  func wait() throws(CheckpointError) -> Value {
    done.wait()
    guard let value = result.withLock({ $0.take() }) else {
      throw CheckpointError(.refused, "a result was asked for twice")
    }
    return try value.get()
  }
}
