/// Something to draw on. Places are in pixels from the upper left corner.
protocol Canvas {
  /// An empty canvas.
  init(width: Int, height: Int)
  /// Fills a rectangle.
  mutating func fill(x: Int, y: Int, width: Int, height: Int, _ color: Color)
  /// Writes a line; `y` is its upper edge. Each character is `TextSize.width` wide.
  mutating func write(_ text: String, x: Int, y: Int)
  /// The finished file.
  func encoded() -> [UInt8]
}

/// The size of characters, the same on every canvas.
enum TextSize {
  static let width = 12
  static let height = 14
}
