package import CheckpointImage
internal import Dispatch
internal import Synchronization

/// A value that somebody is still working out, for all who wait for it.
package final class Future<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, CheckpointError>?>(nil)
  private let done = DispatchGroup()

  /// A value that `complete` will give.
  package init() { done.enter() }

  /// Gives the value, or why there is none; called once.
  package func complete(_ value: Result<Value, CheckpointError>) {
    result.withLock { $0 = value }
    done.leave()
  }

  /// Waits until the value is there.
  package func wait() throws(CheckpointError) -> Value {
    done.wait()
    guard let value = result.withLock({ $0 }) else {
      throw CheckpointError(.refused, "a result was never given")
    }
    return try value.get()
  }
}
