/// Bytes as lower-case hexadecimal text.
package enum Hexadecimal {
  private static let digits = Array("0123456789abcdef".utf8)

  /// Two digits a byte.
  package static func string(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    for byte in bytes { append(byte, to: &text) }
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends the two digits of a byte.
  package static func append(_ byte: UInt8, to text: inout [UInt8]) {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }

  /// The bytes that such a text stands for, in either case; nil if it is none.
  package static func bytes(_ text: String) -> [UInt8]? {
    func digit(_ character: UInt8) -> UInt8? {
      switch character {
      case 0x30...0x39: character - 0x30
      case 0x61...0x66: character - 0x61 + 10
      case 0x41...0x46: character - 0x41 + 10
      default: nil
      }
    }
    let characters = Array(text.utf8)
    guard characters.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(characters.count / 2)
    for place in stride(from: 0, to: characters.count, by: 2) {
      guard let high = digit(characters[place]), let low = digit(characters[place + 1]) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  /// A number with a leading `0x`.
  package static func string(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

  /// The first number of a range and, if there are more, the last: `0x100-0x1ff`.
  package static func string(_ range: Range<UInt64>) -> String {
    string(range.lowerBound) + (range.count > 1 ? "-" + string(range.upperBound - 1) : "")
  }
}
