package import CheckpointImage
internal import Synchronization

/// A least-recently-used cache for several threads: a value that several of them want is computed only once.
package final class SharedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct State {
    var done: LeastRecentlyUsed<Key, Future<Value>>
    var underWay: [Key: Future<Value>] = [:]
  }

  private let state: Mutex<State>

  /// An empty cache for values up to a total cost of `limit`.
  package init(limit: Int) {
    state = Mutex(State(done: LeastRecentlyUsed(limit: limit)))
  }

  /// The value of a key. If `isNew`, the caller must compute it and call `complete`.
  package func claim(_ key: Key) -> (value: Future<Value>, isNew: Bool) {
    state.withLock { state in
      if let known = state.underWay[key] ?? state.done.value(key) { return (known, false) }
      let future = Future<Value>()
      state.underWay[key] = future
      return (future, true)
    }
  }

  /// Drops a value that is not needed any more.
  package func remove(_ key: Key) { state.withLock { _ = $0.done.remove(key) } }

  /// Sets a value that was claimed as new; `cost` counts towards the limit. Returns the values that were dropped for it.
  @discardableResult
  package func complete(_ key: Key, _ result: Result<Value, CheckpointError>, cost: Int) -> [Value]
  {
    let (future, dropped) = state.withLock { state in
      let future = state.underWay.removeValue(forKey: key)
      return (future, future.map { state.done.insert($0, key, cost: cost) } ?? [])
    }
    future?.complete(result)
    return dropped.compactMap { try? $0.wait() }
  }
}
