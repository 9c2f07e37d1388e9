/// Bytes as lower-case hexadecimal text.
public enum Hexadecimal {
  /// Two digits a byte.
  public static func string(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    let digits = Array("0123456789abcdef".utf8)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// A number with a leading `0x`.
  public static func string(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}
