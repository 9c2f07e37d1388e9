package import CheckpointImage

/// The pages of a guest of any size, counted in a limited number of cells.
///
/// A cell stands for a power of two of pages, chosen so that there are few rows. Several consecutive rows
/// without pages are omitted, so that holes take no space.
package struct PageMap: Sendable {
  /// Adjacent pages that share a place in the picture.
  package struct Cell: Hashable, Sendable {
    /// The number of pages of each kind, in the order of the legend.
    public fileprivate(set) var counts: [UInt64]

    /// The most important kind in the cell.
    var mark: Int { counts.lastIndex { $0 > 0 } ?? 0 }

    /// The share of a kind in the cell, 0 to 1.
    func share(_ kind: Int) -> Double {
      Double(counts[kind]) / Double(max(1, counts.reduce(0, +)))
    }

    /// The most frequent kind other than `mark`; nil if there is none.
    var rest: Int? {
      let mark = mark
      return counts.indices.filter { $0 != mark && counts[$0] > 0 }.max { counts[$0] < counts[$1] }
    }
  }

  /// A row of cells.
  package struct Row: Sendable {
    /// The first page.
    package let pfn: PFN
    /// The cells.
    public fileprivate(set) var cells: [Cell]
  }

  /// The kinds that the map distinguishes.
  package let legend: Legend
  /// The number of cells in a row.
  package let columns: Int
  /// The number of pages in a cell.
  package let pagesPerCell: UInt64
  /// The rows, ascending.
  package private(set) var rows: [Row]
  private var indices: [UInt64: Int] = [:]

  /// The number of pages in a row.
  package var pagesPerRow: UInt64 { pagesPerCell * UInt64(columns) }

  /// A map in which no kinds are assigned yet.
  ///
  /// - Parameters:
  ///   - blocks: the blocks of 512 pages in which there are pages, ascending.
  ///   - columns: cells of a row, a power of two.
  ///   - limit: the most rows, at least 1.
  package init(blocks: [BlockNumber], legend: Legend, columns: Int, limit: Int) {
    self.legend = legend
    self.columns = columns
    var pages: UInt64 = 1
    var ranges = Self.rows(of: blocks, pages * UInt64(columns), limit: limit)
    while ranges == nil {
      pages *= 2
      ranges = Self.rows(of: blocks, pages * UInt64(columns), limit: limit)
    }
    pagesPerCell = pages
    var empty = Cell(counts: Array(repeating: 0, count: legend.kinds.count))
    empty.counts[0] = pages
    let row = Array(repeating: empty, count: columns)
    rows = (ranges ?? []).joined().map { Row(pfn: $0 * pages * UInt64(columns), cells: row) }
    for (index, row) in rows.enumerated() { indices[row.pfn / pagesPerRow] = index }
    for block in blocks { count(block.pages, from: 0, to: legend.ground) }
  }

  /// Holes of up to this many rows are shown, since their description would take more space.
  private static let shownHole: UInt64 = 3

  /// The rows to be shown; nil if they are more than `limit`.
  private static func rows(of blocks: [BlockNumber], _ rowPages: UInt64, limit: Int) -> [Range<
    UInt64
  >]? {
    var ranges: [Range<UInt64>] = []
    var count: UInt64 = 0
    for block in blocks {
      let first = block.firstPage / rowPages
      let end = (block.pages.upperBound - 1) / rowPages + 1
      if let last = ranges.last, first <= last.upperBound + shownHole {
        count += end - last.upperBound
        ranges[ranges.count - 1] = last.lowerBound..<end
      } else {
        count += end - first
        ranges.append(first..<end)
      }
      if count > limit { return nil }
    }
    return ranges
  }

  /// Assigns a kind to pages; called once for each page.
  package mutating func add(_ pages: Range<PFN>, kind: Int) {
    count(pages, from: legend.ground, to: kind)
  }

  private mutating func count(_ pages: Range<PFN>, from old: Int, to new: Int) {
    guard old != new else { return }
    var pfn = pages.lowerBound
    while pfn < pages.upperBound {
      let end = min(pages.upperBound, (pfn / pagesPerCell + 1) * pagesPerCell)
      if let row = indices[pfn / pagesPerRow] {
        let column = Int(pfn % pagesPerRow / pagesPerCell)
        rows[row].cells[column].counts[old] -= end - pfn
        rows[row].cells[column].counts[new] += end - pfn
      }
      pfn = end
    }
  }

  /// The number of pages of each kind; for the first kind, only pages in the rows count.
  package var totals: [UInt64] {
    var totals = [UInt64](repeating: 0, count: legend.kinds.count)
    for cell in rows.lazy.flatMap(\.cells) {
      for kind in totals.indices { totals[kind] += cell.counts[kind] }
    }
    return totals
  }

  /// The number of pages omitted before a row.
  package func hole(before row: Int) -> UInt64 {
    rows[row].pfn - (row == 0 ? 0 : rows[row - 1].pfn + pagesPerRow)
  }

  /// The text for a number of omitted pages.
  func text(ofHole pages: UInt64) -> String {
    "\(MemorySize.text(pages: pages)) \(legend.kinds[0].name)"
  }

  /// The text for the number of pages in a cell and a row.
  func scale(_ cell: String, _ row: String, rows: UInt64 = 1) -> String {
    func text(_ pages: UInt64) -> String {
      "\(pages) page\(pages == 1 ? "" : "s") (\(MemorySize.text(pages: pages)))"
    }
    return "1 \(cell) is \(text(pagesPerCell)), 1 \(row) is \(text(pagesPerRow * rows))"
  }
}
