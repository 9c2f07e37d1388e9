/// An SVG picture, which is dark where the viewer prefers dark.
struct SVGCanvas: Canvas {
  private let width: Int
  private let height: Int
  /// The rectangles of each colour, as one path; earlier ones are drawn below later ones.
  private var paths: [(color: Color, path: String)] = []
  private var texts: [String] = []

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  mutating func fill(x: Int, y: Int, width: Int, height: Int, _ color: Color) {
    let path = "M\(x) \(y)h\(width)v\(height)h-\(width)z"
    if let known = paths.firstIndex(where: { $0.color == color }) {
      paths[known].path += path
    } else {
      paths.append((color, path))
    }
  }

  mutating func write(_ text: String, x: Int, y: Int) {
    // An explicit length, so that the text fits with every font.
    let length = text.count * TextSize.width
    texts.append(
      "<text x=\"\(x)\" y=\"\(y + TextSize.height)\" textLength=\"\(length)\">\(Self.escaped(text))</text>"
    )
  }

  func encoded() -> [UInt8] {
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
        + "viewBox=\"0 0 \(width) \(height)\">",
      "<style>",
      "text { font: 19px monospace; white-space: pre; fill: \(Self.hex(.text)) }",
      ".ground { fill: \(Self.hex(.white)) }",
      ".text { fill: \(Self.hex(.text)) }",
      ".empty { fill: \(Self.hex(.empty)) }",
      "@media (prefers-color-scheme: dark) {",
      "  text, .text { fill: #dddddd }",
      "  .ground { fill: #181a1c }",
      "  .empty { fill: #2a2d30 }",
      "}",
      "</style>",
      "<rect class=\"ground\" width=\"\(width)\" height=\"\(height)\"/>",
    ]
    for (color, path) in paths {
      let look =
        switch color {
        case .text: "class=\"text\""
        case .empty: "class=\"empty\""
        default: "fill=\"\(Self.hex(color))\""
        }
      lines.append("<path \(look) shape-rendering=\"crispEdges\" d=\"\(path)\"/>")
    }
    lines += texts + ["</svg>", ""]
    return Array(lines.joined(separator: "\n").utf8)
  }

  private static func hex(_ color: Color) -> String {
    func digits(_ value: UInt8) -> String {
      (value < 16 ? "0" : "") + String(value, radix: 16)
    }
    return "#" + digits(color.red) + digits(color.green) + digits(color.blue)
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      // XML does not allow control characters and these two.
      case "\u{fffe}", "\u{ffff}": escaped += "?"
      default:
        if character.properties.generalCategory == .control {
          escaped += "?"
        } else {
          escaped.unicodeScalars.append(character)
        }
      }
    }
    return escaped
  }
}
