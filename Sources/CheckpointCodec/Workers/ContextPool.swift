package import CheckpointImage
internal import Synchronization

/// Objects that are costly to make and used by one worker at a time.
package final class ContextPool<Context: AnyObject>: Sendable {
  private struct Idle: ~Copyable, @unchecked Sendable {
    // Each object is held either here or by the one worker that took it.
    var contexts: [Context] = []
  }

  private let idle = Mutex(Idle())
  private let make: @Sendable () -> Context

  package init(_ make: @escaping @Sendable () -> Context) { self.make = make }

  /// Lends an object to `body`.
  package func withContext<Value, Failure: Error>(
    _ body: (Context) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let context = take()
    defer { give(context) }
    return try body(context)
  }

  private func take() -> Context {
    nonisolated(unsafe) var found: Context?
    idle.withLock { unsafe found = $0.contexts.popLast() }
    return unsafe found ?? make()
  }

  private func give(_ context: Context) {
    nonisolated(unsafe) let returned = context
    idle.withLock { unsafe $0.contexts.append(returned) }
  }
}

/// Hashers for all workers.
package typealias HasherPool = ContextPool<SHA256Hasher>

extension HasherPool {
  /// A pool without hashers yet.
  package convenience init() { self.init { SHA256Hasher() } }
}
