/// A colour of red, green and blue.
package struct Color: Hashable, Sendable {
  /// The red component, 0 to 255.
  package var red: UInt8
  /// The green component, 0 to 255.
  package var green: UInt8
  /// The blue component, 0 to 255.
  package var blue: UInt8

  /// A colour as in HTML, such as 0x0072b2.
  package init(_ value: UInt32) {
    red = UInt8(value >> 16 & 0xff)
    green = UInt8(value >> 8 & 0xff)
    blue = UInt8(value & 0xff)
  }

  /// A mix of two colours: with share 0 this one, with 1 the other.
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
  /// The colour of memory that the guest does not have.
  static let empty = Color(0xf0f0ee)
  /// A medium grey, visible on light and dark terminals.
  static let middle = Color(0x808488)
}
