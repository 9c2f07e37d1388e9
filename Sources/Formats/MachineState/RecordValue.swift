internal import CheckpointImage

/// What a record says: a tree of named values, in the order of the record.
package indirect enum RecordValue: Hashable, Sendable {
  /// A count, a size, an identifier.
  case number(UInt64)
  /// An address, a register, a set of bits.
  case hex(UInt64)
  /// A text; it may hold any character.
  case text(String)
  /// Values of one kind.
  case list([RecordValue])
  /// Named values.
  case fields([Field])

  /// A named value.
  package struct Field: Hashable, Sendable {
    /// The name.
    package var name: String
    /// The value.
    package var value: RecordValue

    /// Makes a field.
    package init(_ name: String, _ value: RecordValue) {
      self.name = name
      self.value = value
    }
  }

  /// Registers and the like.
  static func hex(_ values: [(name: String, value: UInt64)]) -> RecordValue {
    .fields(values.map { Field($0.name, .hex($0.value)) })
  }
}

extension RecordValue: Encodable {
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Writes fields as an object, lists as a list, what is hexadecimal as a text such as `0x1f`.
  package func encode(to encoder: any Encoder) throws {
    switch self {
    case .number(let value):
      var container = encoder.singleValueContainer()
      try container.encode(value)
    case .hex(let value):
      var container = encoder.singleValueContainer()
      try container.encode(Hexadecimal.string(value))
    case .text(let text):
      var container = encoder.singleValueContainer()
      try container.encode(text)
    case .list(let values):
      var container = encoder.unkeyedContainer()
      for value in values { try container.encode(value) }
    case .fields(let fields):
      var container = encoder.container(keyedBy: Key.self)
      for field in fields {
        try container.encode(field.value, forKey: Key(stringValue: field.name))
      }
    }
  }
}
