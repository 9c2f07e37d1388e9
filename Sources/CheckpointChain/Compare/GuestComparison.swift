internal import CheckpointCodec
package import CheckpointImage

/// What two moments have besides their memory: which parts of the machine state differ, and whether they are
/// of one guest at all.
package struct GuestComparison: Sendable {
  /// The records that only one moment has; of those that come in another order, the first of each namespace and type.
  package let records: [RecordKey]
  /// Whether the machine states differ in anything.
  package let machineStateDiffers: Bool
  /// Why these are likely two guests; empty if nothing suggests it.
  package let foreign: [String]

  /// Compares the tips of two chains.
  package init(_ pair: ChainPair) throws(CheckpointError) {
    machineStateDiffers = pair.before.tip.root.state != pair.after.tip.root.state
    let old = try Self.byName(pair.before.records())
    let new = try Self.byName(pair.after.records())
    let names = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
      .sorted { ($0.namespace.rawValue, $0.type) < ($1.namespace.rawValue, $1.type) }
    records = names.flatMap { Self.difference(old[$0] ?? [], new[$0] ?? []) }
    foreign = try Self.foreign(pair, records)
  }

  private struct Name: Hashable {
    var namespace: RecordNamespace
    var type: UInt32
  }

  private static func difference(_ old: [RecordKey], _ new: [RecordKey]) -> [RecordKey] {
    let both = Set(old).intersection(new)
    let records = (old + new).filter { !both.contains($0) }
    return records.isEmpty ? Array(old.prefix(1)) : records
  }

  private static func byName(_ keys: [RecordKey]) -> [Name: [RecordKey]] {
    Dictionary(grouping: keys) { Name(namespace: $0.namespace, type: $0.type) }
  }

  private static func foreign(_ pair: ChainPair, _ records: [RecordKey]) throws(CheckpointError)
    -> [String]
  {
    var reasons: [String] = []
    let (old, new) = (pair.before.tip, pair.after.tip)
    let architectures = [old.header.architecture, new.header.architecture]
    if architectures[0] != architectures[1], !architectures.contains(.unspecified) {
      reasons.append(
        "architecture: \(architectures[0]) before, \(architectures[1]) after")
    }
    let facts = MomentFacts(try new.provenance())
    for difference in facts.differences(from: MomentFacts(try old.provenance())) {
      reasons.append("\(difference.fact): \(difference.before) before, \(difference.after) after")
    }
    for key in records where key.class == .fixed {
      let reason = "the static \(key.namespace) record \(key.type) differs"
      if reasons.last != reason { reasons.append(reason) }
    }
    return reasons
  }
}
