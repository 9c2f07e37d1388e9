#if Xen
/// The 16 bytes that name a domain across reboots and hosts.
package struct DomainUUID: Hashable, Sendable, CustomStringConvertible {
  /// The bytes.
  package let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// A UUID as it is written, with or without hyphens; nil if it is none.
  package init?(_ text: String) {
    let digits = text.filter { $0 != "-" }
    guard digits.count == 32, digits.allSatisfy(\.isHexDigit), digits.utf8.count == 32 else {
      return nil
    }
    let values = digits.compactMap(\.hexDigitValue).map { UInt8($0) }
    bytes = stride(from: 0, to: 32, by: 2).map { values[$0] << 4 | values[$0 + 1] }
  }

  /// As it is written: `8-4-4-4-12` hexadecimal digits.
  package var description: String {
    let digits = bytes.map { byte -> String in
      let text = String(byte, radix: 16)
      return byte < 16 ? "0" + text : text
    }
    let groups = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16]
    return groups.map { digits[$0].joined() }.joined(separator: "-")
  }
}
#endif
