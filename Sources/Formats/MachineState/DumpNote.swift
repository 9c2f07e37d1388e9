internal import CheckpointCodec
internal import CheckpointImage

/// A note of an ELF file: its writer's name, and a type that the writer defines.
struct DumpNote: Hashable, Sendable {
  /// The writer, such as `CORE`.
  var name: String
  /// The type, as the writer numbers it.
  var type: UInt32
  /// The contents, without padding.
  var contents: [UInt8]

  /// A note with these contents.
  init(_ name: String, type: UInt32, _ contents: [UInt8]) {
    self.name = name
    self.type = type
    self.contents = contents
  }

  /// The writer's name of the note in which a Linux kernel describes itself.
  static let vmcoreinfo = "VMCOREINFO"
  /// The type of the note with the registers of a processor: `NT_PRSTATUS` of `CORE`.
  static let processorStatus: UInt32 = 1

  /// The note as it is in a file: three numbers, name and contents, each padded to a multiple of 4 bytes.
  func encoded() -> [UInt8] {
    var writer = WireWriter(capacity: 32 + contents.count)
    let name = Array(name.utf8) + [0]
    writer.write(UInt32(name.count))
    writer.write(UInt32(contents.count))
    writer.write(type)
    for part in [name, contents] {
      writer.write(part)
      writer.write([UInt8](repeating: 0, count: Self.padding(part.count)))
    }
    return writer.bytes
  }

  private static func padding(_ count: Int, to alignment: Int = 4) -> Int {
    (alignment - count % alignment) % alignment
  }

  /// Reads one note; the padding at the end of a file may be missing.
  ///
  /// - Parameter alignment: name and contents are padded to a multiple of so many bytes: 4, or 8 where an ELF file says
  ///   so.
  init(parsing reader: inout WireReader, alignment: Int = 4) throws(CheckpointError) {
    let nameLength = Int(try reader.read(UInt32.self))
    let length = Int(try reader.read(UInt32.self))
    type = try reader.read()
    let name = try reader.readBytes(nameLength)
    self.name = String(decoding: name.last == 0 ? name.dropLast() : name[...], as: UTF8.self)
    // The head of a note has 12 bytes.
    let headPadding = Self.padding(12 + nameLength, to: alignment)
    try reader.skip(min(headPadding, reader.remaining))
    contents = try reader.readBytes(length)
    try reader.skip(min(Self.padding(length, to: alignment), reader.remaining))
  }

  /// The notes in the bytes of a note segment, each as encoded there with missing padding added, and what is left
  /// behind the last one that is understood; zeros at the end are padding.
  ///
  /// - Parameter alignment: what the segment's header says. Writers say 8 and mean 4, so 4 is tried first.
  static func all(in bytes: [UInt8], alignment: UInt64) -> (
    notes: [[UInt8]], rest: ArraySlice<UInt8>
  ) {
    let found = all(in: bytes, padding: 4)
    guard !found.rest.isEmpty, alignment == 8 else { return found }
    let other = all(in: bytes, padding: 8)
    return other.rest.count < found.rest.count ? other : found
  }

  private static func all(in bytes: [UInt8], padding alignment: Int) -> (
    notes: [[UInt8]], rest: ArraySlice<UInt8>
  ) {
    var reader = WireReader(bytes.rawSpan, structure: "ELF note", at: 0)
    var notes: [[UInt8]] = []
    // Zeros at the end are padding.
    let end = (bytes.lastIndex { $0 != 0 } ?? -1) + 1
    while reader.position < end, notes.count <= Limits.maximumRecords {
      let start = reader.position
      guard let note = try? DumpNote(parsing: &reader, alignment: alignment) else {
        return (notes, bytes[start...])
      }
      if alignment == 4 {
        let raw = Array(bytes[start..<reader.position])
        notes.append(raw + [UInt8](repeating: 0, count: padding(raw.count)))
      } else {
        notes.append(note.encoded())
      }
    }
    return (notes, [])
  }

  /// The note in a record of the namespace `dumpNote`.
  init(_ payload: [UInt8]) throws(CheckpointError) {
    self = try WireReader.read(payload, "ELF note") { (reader) throws(CheckpointError) in
      try DumpNote(parsing: &reader)
    }
  }

  /// The decoded contents, where the type is known.
  func value() throws(CheckpointError) -> RecordValue {
    var fields = [
      RecordValue.Field("name", .text(name)), RecordValue.Field("type", .number(UInt64(type))),
    ]
    if name == Self.vmcoreinfo {
      fields.append(
        RecordValue.Field("text", .text(String(decoding: contents, as: UTF8.self))))
    } else if let processor = try VCPU.all(inNotes: [self]).first {
      fields.append(RecordValue.Field("registers", processor.value))
    }
    return .fields(fields)
  }

  /// The record that stores an encoded note.
  static func record(_ note: [UInt8]) -> MachineRecord {
    let type =
      note.count >= 12 ? note[8..<12].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) } : 0
    return MachineRecord(.dumpNote, .epoch, type: type, payload: note)
  }
}
