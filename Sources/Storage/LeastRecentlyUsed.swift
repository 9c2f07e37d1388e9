/// A cache with a limit on total cost that drops the least recently used values.
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
  /// Every use, oldest first; only the most recent one of a key counts.
  private var uses: [(key: Key, use: UInt64)] = []
  private var oldest = 0

  /// An empty cache. It keeps values up to a total cost of `limit`, and always the most recent one.
  package init(limit: Int) { self.limit = limit }

  /// The number of cached values.
  package var count: Int { entries.count }

  /// The value of a key, which becomes the most recently used; nil if it is not cached.
  package mutating func value(_ key: Key) -> Value? {
    guard let value = entries[key]?.value else { return nil }
    recordUse(key)
    return value
  }

  /// Adds a value as the most recently used. Returns the values that were dropped for it.
  @discardableResult
  package mutating func insert(_ value: Value, _ key: Key, cost new: Int = 1) -> [Value] {
    if let before = entries.updateValue(Entry(value: value, cost: new, use: 0), forKey: key) {
      cost -= before.cost
    }
    cost += new
    recordUse(key)
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

  /// Removes a value and returns it; nil if it is not cached.
  @discardableResult
  package mutating func remove(_ key: Key) -> Value? {
    guard let entry = entries.removeValue(forKey: key) else { return nil }
    cost -= entry.cost
    return entry.value
  }

  private mutating func recordUse(_ key: Key) {
    clock += 1
    entries[key]?.use = clock
    uses.append((key, clock))
    // Outdated uses are purged now and then, so that the list stays in proportion.
    if uses.count > 2 * entries.count + 64 {
      uses = uses[oldest...].filter { entries[$0.key]?.use == $0.use }
      oldest = 0
    }
  }
}
