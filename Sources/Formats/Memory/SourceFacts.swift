package import CheckpointImage

/// What a source says of itself.
package struct SourceFacts: Sendable {
  /// The kind of source, such as `xl save file`.
  package var kind: String
  /// The guest's architecture.
  package var architecture: ImageHeader.Architecture
  /// PFNs ascend from 0, none is left out and none comes twice, whatever the input.
  package var ascendingUnique: Bool
  /// The moment, as far as it is known.
  package var moment = MomentFacts()
  /// Everything else that is known, for the provenance.
  package var fields: [(key: String, value: String)]

  /// Makes a description.
  package init(
    kind: String, architecture: ImageHeader.Architecture, ascendingUnique: Bool,
    moment: MomentFacts = MomentFacts(), fields: [(key: String, value: String)] = []
  ) {
    self.kind = kind
    self.architecture = architecture
    self.ascendingUnique = ascendingUnique
    self.moment = moment
    self.fields = fields
  }
}
