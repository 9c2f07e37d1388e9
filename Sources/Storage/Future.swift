package import CheckpointImage
internal import Dispatch
internal import Synchronization

/// The result of work in progress, shared by everyone who waits for it.
package final class Future<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, CheckpointError>?>(nil)
  private let done = DispatchGroup()

  /// A future without a result; `complete` sets it.
  package init() { done.enter() }

  /// Sets the result; must be called exactly once.
  package func complete(_ value: Result<Value, CheckpointError>) {
    result.withLock { $0 = value }
    done.leave()
  }

  /// Waits for the result.
  package func wait() throws(CheckpointError) -> Value {
    done.wait()
    guard let value = result.withLock({ $0 }) else {
      throw CheckpointError(.refused, "a result was never given")
    }
    return try value.get()
  }
}
