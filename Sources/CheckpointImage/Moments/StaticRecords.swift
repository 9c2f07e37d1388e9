/// The static records of a guest: it keeps one of each type for life (Spec, "Records").
package struct StaticRecords: Sendable {
  private struct Name: Hashable {
    var namespace: RecordNamespace
    var type: UInt32
  }

  private var known: [Name: RecordKey] = [:]

  /// No records.
  package init() {}

  /// The static ones among some records.
  package init(_ keys: [RecordKey]) {
    for key in keys { _ = insert(key) }
  }

  /// Adds a record. Returns the one of the same type that differs: then they belong to two guests.
  /// Records of other classes are let pass.
  package mutating func insert(_ key: RecordKey) -> RecordKey? {
    guard key.class == .fixed else { return nil }
    let name = Name(namespace: key.namespace, type: key.type)
    guard let other = known[name] else {
      known[name] = key
      return nil
    }
    return other == key ? nil : other
  }
}
