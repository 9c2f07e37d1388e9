/// Values by key, up to a cost; those used longest ago make room for new ones.
package struct LeastRecentlyUsed<Key: Hashable, Value> {
  private struct Entry {
    var value: Value
    var cost: Int
    var use: UInt64
  }

  private let limit: Int
  private var entries: [Key: Entry] = [:]
  private var cost = 0
  private var clock: UInt64 = 0
  /// Every use, oldest first; only the last one of a key counts.
  private var uses: [(key: Key, use: UInt64)] = []
  private var oldest = 0

  /// An empty cache that keeps values of `limit` together, and always the one used last.
  package init(limit: Int) { self.limit = limit }

  /// The number of values.
  package var count: Int { entries.count }

  /// The value of a key, which then counts as just used.
  package mutating func value(_ key: Key) -> Value? {
    guard let value = entries[key]?.value else { return nil }
    note(key)
    return value
  }

  /// Puts in a value, which counts as just used. Returns the values that made room.
  @discardableResult
  package mutating func insert(_ value: Value, _ key: Key, cost new: Int = 1) -> [Value] {
    if let before = entries.updateValue(Entry(value: value, cost: new, use: 0), forKey: key) {
      cost -= before.cost
    }
    cost += new
    note(key)
    var removed: [Value] = []
    while cost > limit, entries.count > 1 {
      let (key, use) = uses[oldest]
      oldest += 1
      guard let entry = entries[key], entry.use == use else { continue }
      entries[key] = nil
      cost -= entry.cost
      removed.append(entry.value)
    }
    return removed
  }

  /// Takes out a value.
  @discardableResult
  package mutating func remove(_ key: Key) -> Value? {
    guard let entry = entries.removeValue(forKey: key) else { return nil }
    cost -= entry.cost
    return entry.value
  }

  private mutating func note(_ key: Key) {
    clock += 1
    entries[key]?.use = clock
    uses.append((key, clock))
    // Uses that no longer count are dropped now and then, so that the list stays in proportion.
    if uses.count > 2 * entries.count + 64 {
      uses = uses[oldest...].filter { entries[$0.key]?.use == $0.use }
      oldest = 0
    }
  }
}
