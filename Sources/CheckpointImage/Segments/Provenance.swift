/// Who made an image, when, from what: text fields (Spec, "Provenance").
package struct Provenance: Hashable, Sendable {
  /// A named text.
  package struct Field: Hashable, Sendable {
    /// The name, such as `start`.
    package var key: String
    /// The text.
    package var value: String
  }

  /// The fields, in order.
  package private(set) var fields: [Field] = []

  /// No fields.
  package init() {}

  /// The value of the first field of that name.
  package subscript(key: String) -> String? { fields.first { $0.key == key }?.value }

  /// Adds a field; a value longer than the format allows is cut.
  package mutating func add(_ key: String, _ value: String) {
    var text = value
    while text.utf8.count > Limits.maximumText { text.removeLast(text.count / 2 + 1) }
    fields.append(Field(key: key, value: text))
  }

  /// Reads the body of a provenance segment at `offset`.
  package init(parsing body: RawSpan, at offset: UInt64) throws(CheckpointError) {
    var reader = WireReader(body, structure: "provenance", at: offset)
    while reader.remaining > 0 {
      let keyLength = Int(try reader.read(UInt32.self))
      let valueLength = Int(try reader.read(UInt32.self))
      try reader.expect("key length", keyLength, in: 1...Limits.maximumName)
      try reader.expect("value length", valueLength, in: 0...Limits.maximumText)
      let key = try reader.readText(keyLength, "key")
      fields.append(Field(key: key, value: try reader.readText(valueLength, "value")))
    }
  }

  /// The body of a provenance segment.
  package func encoded() -> [UInt8] {
    var writer = WireWriter()
    for field in fields {
      writer.write(UInt32(field.key.utf8.count))
      writer.write(UInt32(field.value.utf8.count))
      writer.write(Array(field.key.utf8))
      writer.write(Array(field.value.utf8))
    }
    return writer.bytes
  }
}
