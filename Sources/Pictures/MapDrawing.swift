/// Draws a map: titles, legend, addresses, cells. In a cell of several kinds each takes its share of the
/// height, at least one pixel.
package struct MapDrawing {
  /// Cells per row, so that a row fits on a screen.
  package static let columns = 128
  /// The most rows.
  package static let rows = 128

  private static let cell = 8
  private static let margin = 16
  private static let line = 24
  private static let gap = 28
  /// Rows between two addresses.
  private static let labelled = 8

  private let map: PageMap
  private let titles: [String]
  private let digits: Int

  /// Draws `map`, which must have `MapDrawing.columns` columns.
  package init(_ map: PageMap, titles: [String]) {
    self.map = map
    digits = MemorySize.digits(map)
    self.titles = titles + [map.scale("cell", "row")]
  }

  /// The drawing as a PNG file.
  package func png() -> [UInt8] { drawn(on: PNGCanvas.self) }

  /// The drawing as an SVG file.
  package func svg() -> [UInt8] { drawn(on: SVGCanvas.self) }

  private var left: Int { Self.margin + (digits + 3) * TextSize.width }
  private var right: Int { left + map.columns * Self.cell }

  /// The end of a line, as far as it fits: for a path, the end is the most useful part.
  private func clipped(_ line: String) -> String {
    let room = (right - Self.margin) / TextSize.width
    return line.count > room ? "..." + line.suffix(room - 3) : line
  }

  /// The entries of the legend, arranged in lines.
  private var legend: [[(kind: Int, text: String, x: Int)]] {
    let totals = map.totals
    var lines: [[(kind: Int, text: String, x: Int)]] = [[]]
    var x = Self.margin
    for (index, kind) in map.legend.kinds.enumerated() where totals[index] > 0 {
      let text = index == 0 ? kind.name : "\(totals[index]) \(kind.name)"
      let width = (text.count + 4) * TextSize.width
      if x + width > right, x > Self.margin {
        lines.append([])
        x = Self.margin
      }
      lines[lines.count - 1].append((index, text, x))
      x += width
    }
    return lines
  }

  private func drawn<C: Canvas>(on type: C.Type) -> [UInt8] {
    let legend = legend
    let holes = map.rows.indices.count { map.hole(before: $0) > 0 }
    let top = Self.margin + (titles.count + legend.count) * Self.line + Self.line / 2
    var canvas = C(
      width: right + Self.margin,
      height: top + holes * Self.gap + map.rows.count * Self.cell + TextSize.height + Self.margin)
    var y = Self.margin
    for title in titles {
      canvas.write(clipped(title), x: Self.margin, y: y)
      y += Self.line
    }
    for line in legend {
      for entry in line { draw(entry.kind, entry.text, entry.x, y, on: &canvas) }
      y += Self.line
    }
    drawRows(from: top, on: &canvas)
    return canvas.encoded()
  }

  private func draw(_ kind: Int, _ text: String, _ x: Int, _ y: Int, on canvas: inout some Canvas) {
    let size = TextSize.height
    canvas.fill(x: x, y: y, width: size, height: size, .middle)
    canvas.fill(
      x: x + 1, y: y + 1, width: size - 2, height: size - 2, map.legend.kinds[kind].color)
    canvas.write(text, x: x + size + TextSize.width / 2, y: y)
  }

  private func drawRows(from top: Int, on canvas: inout some Canvas) {
    var y = top
    var unlabelled = Self.labelled
    for (index, row) in map.rows.enumerated() {
      let hole = map.hole(before: index)
      if hole > 0 {
        // An address directly above would cover this text.
        canvas.write("... \(map.text(ofHole: hole))", x: left, y: y + 7)
        y += Self.gap
        unlabelled = Self.labelled
      }
      if unlabelled >= Self.labelled {
        let label = MemorySize.address(row.pfn, digits: digits)
        canvas.write(label, x: Self.margin, y: y - (TextSize.height - Self.cell) / 2)
        canvas.fill(x: left - 8, y: y, width: 6, height: 1, .text)
        unlabelled = 0
      }
      unlabelled += 1
      draw(row, y, on: &canvas)
      y += Self.cell
    }
  }

  /// Draws a row; equal adjacent cells become one rectangle.
  private func draw(_ row: PageMap.Row, _ y: Int, on canvas: inout some Canvas) {
    var start = 0
    while start < row.cells.count {
      let heights = Self.heights(row.cells[start])
      var end = start + 1
      while end < row.cells.count, Self.heights(row.cells[end]) == heights { end += 1 }
      var top = y
      for (kind, height) in heights.enumerated() where height > 0 {
        canvas.fill(
          x: left + start * Self.cell, y: top, width: (end - start) * Self.cell, height: height,
          map.legend.kinds[kind].color)
        top += height
      }
      start = end
    }
  }

  /// The number of pixels of each kind in a cell, from the top.
  static func heights(_ cell: PageMap.Cell) -> [Int] {
    var heights = cell.counts.indices.map { kind in
      cell.counts[kind] == 0 ? 0 : max(1, Int((cell.share(kind) * Double(Self.cell)).rounded()))
    }
    // The largest share absorbs the rounding error.
    while heights.reduce(0, +) != Self.cell {
      let most = heights.indices.max { heights[$0] < heights[$1] } ?? 0
      heights[most] += heights.reduce(0, +) > Self.cell ? -1 : 1
    }
    return heights
  }
}
