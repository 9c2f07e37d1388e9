internal import CheckpointImage

/// The decoded contents of a record: a tree of named values, in the order of the record.
package indirect enum RecordValue: Hashable, Sendable {
  /// A count, size or identifier.
  case number(UInt64)
  /// An address, register or set of bits.
  case hex(UInt64)
  /// A text, which may contain any character.
  case text(String)
  /// Values of the same kind.
  case list([RecordValue])
  /// Named values, in order.
  case fields([Field])

  /// A named value.
  package struct Field: Hashable, Sendable {
    /// The name, in the words of Xen's headers.
    package var name: String
    /// The value, which may have fields of its own.
    package var value: RecordValue

    /// A field with this name and value.
    package init(_ name: String, _ value: RecordValue) {
      self.name = name
      self.value = value
    }
  }

  /// Hexadecimal fields, such as registers.
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

  /// Encodes fields as an object, a list as an array, and hexadecimal values as text such as `0x1f`.
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
