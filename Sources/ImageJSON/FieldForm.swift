internal import CheckpointImage

/// A field of the provenance (Spec, "Provenance").
struct FieldForm: Codable {
  var key: String
  var value: String

  enum CodingKeys: String, CodingKey {
    case key = "Key"
    case value = "Value"
  }
}
