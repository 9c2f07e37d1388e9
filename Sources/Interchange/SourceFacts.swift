public import CheckpointCodec
public import CheckpointImage

/// What a source says of itself before its pages come.
public struct SourceFacts: Sendable {
  /// The kind of source, such as `xl save file`.
  public var kind: String
  /// The guest's architecture.
  public var architecture: ImageHeader.Architecture
  /// PFNs ascend and none comes twice, whatever the input.
  public var ascendingUnique: Bool
  /// Everything else that is known, for the provenance.
  public var fields: [(key: String, value: String)]

  /// Makes a description.
  public init(
    kind: String, architecture: ImageHeader.Architecture, ascendingUnique: Bool,
    fields: [(key: String, value: String)]
  ) {
    self.kind = kind
    self.architecture = architecture
    self.ascendingUnique = ascendingUnique
    self.fields = fields
  }

  /// The value of a field.
  public subscript(key: String) -> String? { fields.first { $0.key == key }?.value }
}

/// A source of events that knows what it is.
public protocol DescribedSource: CheckpointSource {
  /// What the source is.
  var facts: SourceFacts { get }
  /// How faithful the recorded layout is; nil leaves it to the writer.
  var layoutKind: LayoutKind? { get }
}
