internal import CheckpointImage
internal import FoundationEssentials

/// Bytes as hexadecimal text: identities, digests, padding.
struct HexBytes: Codable, Equatable {
  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let bytes = Hexadecimal.bytes(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected hexadecimal digits, two a byte")
    }
    self.bytes = bytes
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Hexadecimal.string(bytes))
  }
}

/// A digest as 64 hexadecimal digits.
struct HexDigest: Codable, Equatable {
  var digest: Digest

  init(_ digest: Digest) { self.digest = digest }

  init(from decoder: any Decoder) throws {
    let bytes = try HexBytes(from: decoder).bytes
    guard bytes.count == Digest.byteCount,
      let digest = unsafe try? Self.read(bytes.span.bytes)
    else {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: decoder.codingPath, debugDescription: "expected 64 hexadecimal digits"))
    }
    self.digest = digest
  }

  private static func read(_ bytes: RawSpan) throws(CheckpointError) -> Digest {
    var reader = WireReader(bytes, structure: "digest", at: 0)
    return try reader.readDigest()
  }

  func encode(to encoder: any Encoder) throws { try HexBytes(digest.bytes).encode(to: encoder) }
}

/// Many bytes as base64.
struct Base64Bytes: Codable, Equatable {
  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let data = Data(base64Encoded: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected base64")
    }
    bytes = Array(data)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Data(bytes).base64EncodedString())
  }
}

/// Names of the specification's numbers.
enum Name {
  /// The value of a name among `values`.
  static func value<T>(_ name: String, of values: [T], _ field: String, _ text: (T) -> String)
    throws(CheckpointError) -> T
  {
    guard let value = values.first(where: { text($0) == name }) else {
      throw CheckpointError(
        .refused,
        "\(field): found \"\(name.prefix(40))\", expected one of "
          + values.map(text).joined(separator: ", "))
    }
    return value
  }

  static func state(_ name: String) throws(CheckpointError) -> PageState {
    try value(name, of: PageState.allCases, "State") { "\($0)" }
  }

  static func reason(_ name: String) throws(CheckpointError) -> EvictionReason {
    try value(name, of: EvictionReason.allCases, "Reason") { "\($0)" }
  }

  /// The namespaces there are, by their numbers.
  static func namespace(_ name: String) throws(CheckpointError) -> RecordNamespace {
    let all = (UInt16(1)...255).compactMap(RecordNamespace.init)
    return try value(name, of: all, "Namespace") { "\($0)" }
  }
}
