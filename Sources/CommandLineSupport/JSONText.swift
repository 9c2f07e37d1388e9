internal import CheckpointImage
internal import FoundationEssentials

/// Encodes JSON so that it can be shown on a terminal.
enum JSONText {
  /// A value as JSON. Texts come from files, so characters that control a terminal or change the direction of
  /// text are escaped.
  static func bytes(_ value: some Encodable, _ encoder: JSONEncoder) throws(CheckpointError)
    -> [UInt8]
  {
    guard let data = try? encoder.encode(value) else {
      throw CheckpointError(.refused, "the result cannot be written as JSON")
    }
    let bytes = Array(data)
    // In UTF-8, characters that need an escape begin with one of these bytes.
    guard bytes.contains(where: { $0 == 0x7f || $0 == 0xc2 || $0 == 0xd8 || $0 == 0xe2 }) else {
      return bytes
    }
    var escaped = String()
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      if scalar.value > 0x7e, scalar.drivesTerminal {
        let digits = String(scalar.value, radix: 16)
        escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      } else {
        escaped.unicodeScalars.append(scalar)
      }
    }
    return Array(escaped.utf8)
  }
}

extension Unicode.Scalar {
  /// Whether a terminal would do something other than show the character: control characters, and those that
  /// break a line or change the direction of text.
  var drivesTerminal: Bool {
    switch value {
    case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
  }
}
