/// A map as lines of text: in colour with two rows per line, else with a letter for each cell.
package struct TerminalMap {
  /// The colours that a terminal can show.
  package enum Palette: Sendable {
    /// No colours.
    case letters
    /// The 256 colours of xterm.
    case indexed
    /// Any colour.
    case full
  }

  /// The most rows.
  package static let rows = 64

  private let map: PageMap
  private let palette: Palette
  private let digits: Int

  /// Formats `map` for a terminal with these colours.
  package init(_ map: PageMap, _ palette: Palette) {
    self.map = map
    self.palette = palette
    digits = MemorySize.digits(map)
  }

  /// The number of cells in a row, a power of two, that fit into a line of `width` characters.
  package static func columns(width: Int) -> Int {
    // 19 characters: the longest address and a space.
    [128, 64, 32].first { $0 + 19 <= width || $0 == 64 && width >= 78 } ?? 16
  }

  /// The lines. They contain nothing but the map's own text and, in colour, escape sequences.
  package var lines: [String] {
    var lines = [
      palette == .letters
        ? map.scale("letter", "line") : map.scale("half of a character", "line", rows: 2)
    ]
    var row = 0
    while row < map.rows.count {
      let hole = map.hole(before: row)
      if hole > 0 { lines.append("  … \(map.text(ofHole: hole))") }
      let label = MemorySize.address(map.rows[row].pfn, digits: digits) + " "
      if palette == .letters {
        lines.append(label + map.rows[row].cells.map(letter).joined())
        row += 1
      } else {
        let hasLower = row + 1 < map.rows.count && map.hole(before: row + 1) == 0
        lines.append(label + halves(row, hasLower ? row + 1 : nil))
        row += hasLower ? 2 : 1
      }
    }
    return lines + legend
  }

  /// A line for each kind that occurs.
  private var legend: [String] {
    let totals = map.totals
    var lines: [String] = []
    for (index, kind) in map.legend.kinds.enumerated() where totals[index] > 0 {
      let count = index == 0 ? "" : "\(totals[index]) "
      let sample: String
      if palette == .letters {
        let large = kind.letter.uppercased()
        sample = large == String(kind.letter) ? " \(large)" : "\(large)\(kind.letter)"
      } else {
        sample = index == 0 ? "  " : escape(38, kind.color) + "██" + Self.reset
      }
      lines.append("\(sample) \(count)\(kind.name)")
    }
    return lines
  }

  private func letter(_ cell: PageMap.Cell) -> String {
    let kind = map.legend.kinds[cell.mark]
    return cell.share(cell.mark) >= 0.5 ? kind.letter.uppercased() : String(kind.letter)
  }

  // MARK: Colours

  private static let reset = "\u{1b}[0m"

  /// Two rows in one line of half-block characters. Empty cells show the terminal's background.
  private func halves(_ upper: Int, _ lower: Int?) -> String {
    var line = ""
    var last = ""
    for column in 0..<map.columns {
      let top = color(map.rows[upper].cells[column])
      let bottom = lower.flatMap { color(map.rows[$0].cells[column]) }
      let (codes, character) =
        switch (top, bottom) {
        case (nil, nil): (Self.reset, " ")
        case (let top?, nil): (Self.reset + escape(38, top), "▀")
        case (nil, let bottom?): (Self.reset + escape(38, bottom), "▄")
        case (let top?, let bottom?): (escape(38, top) + escape(48, bottom), "▀")
        }
      if codes != last { line += codes }
      last = codes
      line += character
    }
    return line + Self.reset
  }

  /// The colour of the most important kind, lighter for smaller shares; nil for an empty cell.
  private func color(_ cell: PageMap.Cell) -> Color? {
    let mark = cell.mark
    guard mark > 0 else { return nil }
    let kinds = map.legend.kinds
    guard let rest = cell.rest else { return kinds[mark].color }
    let ground = rest == 0 ? Color.middle : kinds[rest].color
    return ground.mixed(with: kinds[mark].color, max(0.4, cell.share(mark)))
  }

  private func escape(_ what: Int, _ color: Color) -> String {
    if palette == .full {
      return "\u{1b}[\(what);2;\(color.red);\(color.green);\(color.blue)m"
    }
    // The cube of 6 by 6 by 6 colours.
    func step(_ value: UInt8) -> Int { value < 48 ? 0 : value < 115 ? 1 : (Int(value) - 35) / 40 }
    let index = 16 + 36 * step(color.red) + 6 * step(color.green) + step(color.blue)
    return "\u{1b}[\(what);5;\(index)m"
  }
}
