internal import CZlib
internal import CheckpointImage

/// A PNG picture with a palette, one byte per pixel.
struct PNGCanvas: Canvas {
  private let width: Int
  private let height: Int
  private var palette: [Color] = [.white]
  private var pixels: [UInt8]

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    pixels = Array(repeating: 0, count: width * height)
  }

  mutating func fill(x: Int, y: Int, width: Int, height: Int, _ color: Color) {
    let index = index(of: color)
    for row in max(0, y)..<min(self.height, max(0, y + height)) {
      for column in max(0, x)..<min(self.width, max(0, x + width)) {
        pixels[row * self.width + column] = index
      }
    }
  }

  mutating func write(_ text: String, x: Int, y: Int) {
    let dot = TextSize.height / BitmapFont.rows
    for (place, character) in text.unicodeScalars.enumerated() {
      for (column, dots) in BitmapFont.columns(of: character).enumerated() {
        for row in 0..<8 where dots >> UInt8(row) & 1 == 1 {
          fill(
            x: x + place * TextSize.width + column * dot, y: y + row * dot, width: dot,
            height: dot, .text)
        }
      }
    }
  }

  private mutating func index(of color: Color) -> UInt8 {
    if let known = palette.firstIndex(of: color) { return UInt8(known) }
    // A drawing uses few colours; any beyond the limit are replaced by the last.
    if palette.count < 256 { palette.append(color) }
    return UInt8(palette.count - 1)
  }

  func encoded() -> [UInt8] {
    var file: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    // Eight bits per pixel, which are indices into the palette; not interlaced.
    let header = Self.bytes(UInt32(width)) + Self.bytes(UInt32(height)) + [8, 3, 0, 0, 0]
    file += Self.chunk("IHDR", header)
    file += Self.chunk("PLTE", palette.flatMap { [$0.red, $0.green, $0.blue] })
    var rows: [UInt8] = []
    rows.reserveCapacity((width + 1) * height)
    for row in 0..<height {
      rows.append(0)  // No filter.
      rows += pixels[row * width..<(row + 1) * width]
    }
    file += Self.chunk("IDAT", Self.compressed(rows))
    return file + Self.chunk("IEND", [])
  }

  private static func bytes(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }

  private static func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
    let named = Array(name.utf8) + body
    return bytes(UInt32(body.count)) + named + bytes(Checksum.of(named.rawSpan))
  }

  private static func compressed(_ bytes: [UInt8]) -> [UInt8] {
    let bound = Int(compressBound(UInt(bytes.count)))
    // SAFETY: zlib is given the size of the buffer, and returns how much of it it filled.
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { target, filled in
      var count = UInt(bound)
      let status = unsafe compress2(target.baseAddress, &count, bytes, UInt(bytes.count), 9)
      // With the size that zlib itself computed, this fails only without memory.
      precondition(status == Z_OK, "zlib has no memory")
      filled = Int(count)
    }
  }
}
