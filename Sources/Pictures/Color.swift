/// A colour: red, green and blue, 0 to 255 each.
package struct Color: Hashable, Sendable {
  /// Red.
  package var red: UInt8
  /// Green.
  package var green: UInt8
  /// Blue.
  package var blue: UInt8

  /// A colour as HTML writes it, such as 0x0072b2.
  package init(_ value: UInt32) {
    red = UInt8(value >> 16 & 0xff)
    green = UInt8(value >> 8 & 0xff)
    blue = UInt8(value & 0xff)
  }

  /// The colour on the way to another: 0 is this one, 1 the other.
  func mixed(with other: Color, _ share: Double) -> Color {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
      UInt8(Double(a) + (Double(b) - Double(a)) * share)
    }
    var color = self
    color.red = mix(red, other.red)
    color.green = mix(green, other.green)
    color.blue = mix(blue, other.blue)
    return color
  }

  static let white = Color(0xffffff)
  static let text = Color(0x222222)
  /// Where the guest has nothing.
  static let empty = Color(0xf0f0ee)
  /// Neither light nor dark: on every terminal something can be told from it.
  static let middle = Color(0x808488)
}
