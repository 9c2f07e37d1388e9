package import CheckpointImage
internal import Synchronization

/// Values used last, each worked out once for all who want it at about the same time.
package final class SharedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct State {
    var done: LeastRecentlyUsed<Key, Future<Value>>
    var underWay: [Key: Future<Value>] = [:]
  }

  private let state: Mutex<State>

  /// An empty cache that keeps values of `limit` together.
  package init(limit: Int) {
    state = Mutex(State(done: LeastRecentlyUsed(limit: limit)))
  }

  /// The value to be, and whether the caller is the one who must give it, with `complete`.
  package func claim(_ key: Key) -> (value: Future<Value>, isNew: Bool) {
    state.withLock { state in
      if let known = state.underWay[key] ?? state.done.value(key) { return (known, false) }
      let future = Future<Value>()
      state.underWay[key] = future
      return (future, true)
    }
  }

  /// Gives a value that was claimed, and what it costs to keep it.
  package func complete(_ key: Key, _ result: Result<Value, CheckpointError>, cost: Int) {
    let future = state.withLock { state in
      let future = state.underWay.removeValue(forKey: key)
      if let future { state.done.insert(future, key, cost: cost) }
      return future
    }
    future?.complete(result)
  }
}
