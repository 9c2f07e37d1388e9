package import CheckpointCodec
package import CheckpointImage

/// What a source says of itself before its pages come.
package struct SourceFacts: Sendable {
  /// The kind of source, such as `xl save file`.
  package var kind: String
  /// The guest's architecture.
  package var architecture: ImageHeader.Architecture
  /// PFNs ascend from 0, none is left out and none comes twice, whatever the input.
  package var ascendingUnique: Bool
  /// Everything else that is known, for the provenance.
  package var fields: [(key: String, value: String)]

  /// Makes a description.
  package init(
    kind: String, architecture: ImageHeader.Architecture, ascendingUnique: Bool,
    fields: [(key: String, value: String)]
  ) {
    self.kind = kind
    self.architecture = architecture
    self.ascendingUnique = ascendingUnique
    self.fields = fields
  }

  /// The value of a field.
  package subscript(key: String) -> String? { fields.first { $0.key == key }?.value }
}

/// A source of events that knows what it is.
package protocol DescribedSource: CheckpointSource {
  /// The name used in messages.
  var name: String { get }
  /// What the source is.
  var facts: SourceFacts { get }
  /// The memory in any order, apart from the events; nil if it comes once only, as from a pipe.
  var memory: (any PhysicalMemory)? { get }
  /// What is known of the machine before any event was taken.
  var knownRecords: [MachineRecord] { get }
  /// How faithful the recorded layout is; nil leaves it to the writer.
  var layoutKind: LayoutKind? { get }
  /// Whether the moment being read is told as what changed since the one before it in the source.
  var isDifference: Bool { get }
  /// Whether this moment has nothing to do with the one before it: it is told whole.
  var startsOver: Bool { get }
  /// Says which pages are going to be left out: what the source gives as their contents need not be so.
  func leaveOut(_ plan: EvictionPlan)
  /// Whether, after this error in the middle of a moment, `beginNextMoment` can still be called.
  func survives(_ error: CheckpointError) -> Bool
  /// Goes on to the next moment, once all events of this one were taken; false if there is none.
  func beginNextMoment() throws(CheckpointError) -> Bool
}

/// Most sources are one moment, and give their memory once.
extension DescribedSource {
  /// None.
  package var memory: (any PhysicalMemory)? { nil }
  /// Nothing.
  package var knownRecords: [MachineRecord] { [] }
  /// Whole.
  package var isDifference: Bool { false }
  /// It goes on.
  package var startsOver: Bool { false }
  /// They are given as all others are.
  package func leaveOut(_ plan: EvictionPlan) {}
  /// It ends.
  package func survives(_ error: CheckpointError) -> Bool { false }
  /// There is none.
  package func beginNextMoment() throws(CheckpointError) -> Bool { false }
}
