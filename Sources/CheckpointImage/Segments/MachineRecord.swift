/// Whose numbering a record's type follows (Spec, "Records").
package enum RecordNamespace: UInt16, Sendable {
  /// A record of Xen's libxc stream; the type is Xen's.
  case libxc = 1
  /// A record of Xen's libxl stream; the type is Xen's.
  case libxl = 2
  /// Parts of an `xl save` file: type 1 domain configuration, 2 optional data behind it.
  case xl = 3
  /// The fixed headers of Xen's streams: type 1 libxc image header, 2 libxc domain header,
  /// 3 libxl header, 4 xl header, 5 libvirt header, 6 signature of a XenServer suspend image.
  case streamHeader = 4
  /// Parts of a libvirt save file: type 1 the domain's XML.
  case libvirt = 5
  /// Sections of a XenServer suspend image; the type is XenServer's.
  case xenServer = 6
  /// Notes of an ELF core file or a kdump file, each whole; the type is the note's.
  case dumpNote = 7
}

/// How a record is carried from an image to its increments (Spec, "Records").
package enum RecordClass: UInt16, CaseIterable, Sendable {
  /// The same in all images of a guest.
  case fixed = 1
  /// Valid until sent again.
  case sticky = 2
  /// Replaced as a whole in each image.
  case epoch = 3

  /// The name used in the specification.
  package var name: String { self == .fixed ? "static" : "\(self)" }
}

/// What identifies a record's contents: all of it but the payload itself.
package struct RecordKey: Hashable, Sendable {
  /// Whose numbering `type` follows.
  package var namespace: RecordNamespace
  /// How it is carried on.
  package var `class`: RecordClass
  /// The record's type.
  package var type: UInt32
  /// Bytes of the payload.
  package var length: UInt64
  /// SHA-256 of the payload.
  package var digest: Digest
}

/// A part of the machine's state that is not memory, kept exactly as it was received.
package struct MachineRecord: Hashable, Sendable {
  static let fixedSize = 56
  private static let inheritedFlag: UInt16 = 1

  /// Identity of the contents.
  package var key: RecordKey
  /// The bytes; nil if an ancestor's record with the same key holds them.
  package var payload: [UInt8]?

  /// A record with its payload.
  package init(
    _ namespace: RecordNamespace, _ class: RecordClass, type: UInt32, payload: [UInt8]
  ) {
    key = RecordKey(
      namespace: namespace, class: `class`, type: type, length: UInt64(payload.count),
      digest: SHA256Hasher.digest(of: payload))
    self.payload = payload
  }

  /// The same record, its payload left to an ancestor.
  package var inherited: MachineRecord {
    var record = self
    record.payload = nil
    return record
  }

  /// Reads the body of a record segment at `offset`; the payload's digest is checked.
  package init(parsing body: RawSpan, at offset: UInt64) throws(CheckpointError) {
    var reader = WireReader(body, structure: "record", at: offset)
    let rawNamespace: UInt16 = try reader.read()
    let rawClass: UInt16 = try reader.read()
    let type: UInt32 = try reader.read()
    let flags: UInt16 = try reader.read()
    try reader.zeros(6, "reserved")
    let length: UInt64 = try reader.read()
    let digest = try reader.readDigest()
    guard let namespace = RecordNamespace(rawValue: rawNamespace) else {
      throw reader.damaged("namespace: found \(rawNamespace), expected 1 to 7")
    }
    guard let recordClass = RecordClass(rawValue: rawClass) else {
      throw reader.damaged("class: found \(rawClass), expected 1 to 3")
    }
    try reader.expect("length", length, in: 0...UInt64(Limits.maximumRecord))
    key = RecordKey(
      namespace: namespace, class: recordClass, type: type, length: length, digest: digest)
    switch flags {
    case 0:
      let bytes = try reader.readBytes(Int(length))
      payload = bytes
      try reader.expect("payload digest", SHA256Hasher.digest(of: bytes), digest)
    case Self.inheritedFlag:
      payload = nil
    default:
      throw reader.damaged("flags: found \(flags), expected 0 or 1")
    }
    try reader.end()
  }

  /// The body of a record segment.
  package func encoded() -> [UInt8] {
    var writer = WireWriter(capacity: Self.fixedSize + (payload?.count ?? 0))
    writer.write(key.namespace.rawValue)
    writer.write(key.class.rawValue)
    writer.write(key.type)
    writer.write(payload == nil ? Self.inheritedFlag : 0)
    writer.write([0, 0, 0, 0, 0, 0])
    writer.write(key.length)
    writer.write(key.digest)
    if let payload { writer.write(payload) }
    return writer.bytes
  }
}
