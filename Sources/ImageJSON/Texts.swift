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
        in: container, debugDescription: "expected hexadecimal digits, two per byte")
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
      let digest = try? Self.read(bytes.rawSpan)
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

/// Bytes as base64.
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
