/// A surface to draw on. Coordinates are pixels from the upper left corner.
protocol Canvas {
  /// An empty canvas of this size in pixels.
  init(width: Int, height: Int)
  /// Fills a rectangle.
  mutating func fill(x: Int, y: Int, width: Int, height: Int, _ color: Color)
  /// Writes a line of text; `y` is its upper edge. Each character is `TextSize.width` wide.
  mutating func write(_ text: String, x: Int, y: Int)
  /// The finished picture as a file.
  func encoded() -> [UInt8]
}

/// The size of characters in pixels, the same on every canvas.
enum TextSize {
  static let width = 12
  static let height = 14
}
