internal import CheckpointImage

/// A record by its fields (Spec, "Records"): with a payload, from which length and digest follow, or inherited.
struct RecordForm: Codable {
  var namespace: String
  var `class`: String
  var type: UInt32
  var payload: Base64Bytes?
  var length: UInt64?
  var digest: HexDigest?

  enum CodingKeys: String, CodingKey {
    case namespace = "Namespace"
    case `class` = "Class"
    case type = "Type"
    case payload = "Payload"
    case length = "Length"
    case digest = "Digest"
  }

  init(_ record: MachineRecord) {
    namespace = "\(record.key.namespace)"
    `class` = record.key.class.name
    type = record.key.type
    if let payload = record.payload {
      self.payload = Base64Bytes(payload)
    } else {
      length = record.key.length
      digest = HexDigest(record.key.digest)
    }
  }

  func body() throws(CheckpointError) -> [UInt8] {
    let recordClass = try Name.value(`class`, of: RecordClass.allCases, "Class") { $0.name }
    var record = MachineRecord(
      try Name.namespace(namespace), recordClass, type: type, payload: payload?.bytes ?? [])
    guard payload == nil else { return record.encoded() }
    guard let length, let digest else {
      throw CheckpointError(.refused, "a record needs a Payload, or Length and Digest of another's")
    }
    record.key.length = length
    record.key.digest = digest.digest
    return record.inherited.encoded()
  }
}
