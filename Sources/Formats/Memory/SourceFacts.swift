package import CheckpointImage

/// What a source states about itself, for header and provenance.
package struct SourceFacts: Sendable {
  /// The kind of source, such as `xl save file`.
  package var kind: String
  /// The guest's architecture.
  package var architecture: ImageHeader.Architecture
  /// Whether PFNs are guaranteed to ascend from 0 without gaps or repetition, whatever the input.
  package var ascendingUnique: Bool
  /// Facts about the moment, as far as they are known.
  package var moment = MomentFacts()
  /// Other facts, for the provenance.
  package var fields: [(key: String, value: String)]
  /// What is odd in it, as far as it was read.
  package var remarks: [SourceRemark] = []
  /// Whether pages may be missing that it does not even name, because it broke off.
  package var mayLackPages = false

  /// A description with the given facts.
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
