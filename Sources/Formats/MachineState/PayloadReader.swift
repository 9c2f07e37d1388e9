internal import CheckpointImage

extension WireReader {
  /// Decodes the fields of a record's payload in order.
  static func read<Value>(
    _ payload: [UInt8], _ structure: String,
    _ body: (inout WireReader) throws(CheckpointError) -> Value
  ) throws(CheckpointError) -> Value {
    var reader = WireReader(payload.rawSpan, structure: structure, at: 0)
    return try body(&reader)
  }

  /// The next number, as a named field.
  @_lifetime(self: copy self)
  mutating func field<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ name: String, _: T.Type, hex: Bool = false
  ) throws(CheckpointError) -> RecordValue.Field {
    let value = UInt64(try read(T.self))
    return RecordValue.Field(name, hex ? .hex(value) : .number(value))
  }

  /// The next number in big-endian order, as a named field.
  @_lifetime(self: copy self)
  mutating func bigEndianField<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ name: String, _: T.Type
  ) throws(CheckpointError) -> RecordValue.Field {
    RecordValue.Field(name, .number(UInt64(try read(T.self).byteSwapped)))
  }

  /// Throws if there are more entries than a real record has, since each takes many times its size in memory.
  func limit(_ count: Int, to most: Int = 1 << 16) throws(CheckpointError) {
    guard count < most else { throw damaged("more than \(most) entries") }
  }

  /// Skips bytes.
  @_lifetime(self: copy self)
  mutating func skip(_ count: Int) throws(CheckpointError) { _ = try take(count) }
}
