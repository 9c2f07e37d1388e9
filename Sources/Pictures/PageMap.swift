package import CheckpointImage

/// The pages of a guest, of whatever size, counted into a few rows of cells.
///
/// A cell stands for as many pages, a power of two, as it takes for the rows to be few. Rows without any page
/// are left out where there are several, so that holes take no room.
package struct PageMap: Sendable {
  /// Pages side by side that share a place in the picture.
  package struct Cell: Hashable, Sendable {
    /// How many of them are of each kind, in the order of the legend.
    public fileprivate(set) var counts: [UInt64]

    /// The kind that matters most.
    var mark: Int { counts.lastIndex { $0 > 0 } ?? 0 }

    /// The part of the cell that is of a kind, 0 to 1.
    func share(_ kind: Int) -> Double {
      Double(counts[kind]) / Double(max(1, counts.reduce(0, +)))
    }

    /// The kind, other than the one that matters most, that most pages are of; nil if there is none.
    var rest: Int? {
      let mark = mark
      return counts.indices.filter { $0 != mark && counts[$0] > 0 }.max { counts[$0] < counts[$1] }
    }
  }

  /// Cells side by side.
  package struct Row: Sendable {
    /// The first page.
    package let pfn: PFN
    /// The cells.
    public fileprivate(set) var cells: [Cell]
  }

  /// What the map tells apart.
  package let legend: Legend
  /// Cells of a row.
  package let columns: Int
  /// Pages of a cell.
  package let pagesPerCell: UInt64
  /// The rows, ascending.
  package private(set) var rows: [Row]
  private var indices: [UInt64: Int] = [:]

  /// Pages of a row.
  package var pagesPerRow: UInt64 { pagesPerCell * UInt64(columns) }

  /// A map on which nothing is said of the pages yet.
  ///
  /// - Parameters:
  ///   - blocks: the blocks of 512 pages in which there are pages, ascending.
  ///   - columns: cells of a row, a power of two.
  ///   - limit: the most rows, at least 1.
  package init(blocks: [UInt64], legend: Legend, columns: Int, limit: Int) {
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
    let size = UInt64(Limits.blockPages)
    for block in blocks { count(block * size..<(block + 1) * size, from: 0, to: legend.ground) }
  }

  /// Holes of up to so many rows are shown: leaving them out would take more room.
  private static let shownHole: UInt64 = 3

  /// The rows to be shown; nil if they are more than `limit`.
  private static func rows(of blocks: [UInt64], _ rowPages: UInt64, limit: Int) -> [Range<UInt64>]?
  {
    let size = UInt64(Limits.blockPages)
    var ranges: [Range<UInt64>] = []
    var count: UInt64 = 0
    for block in blocks {
      let first = block * size / rowPages
      let end = (block * size + size - 1) / rowPages + 1
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

  /// Says of what kind some pages of the blocks are; of each page once.
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

  /// How many pages are of each kind; of the first kind only those in the rows are counted.
  package var totals: [UInt64] {
    var totals = [UInt64](repeating: 0, count: legend.kinds.count)
    for cell in rows.lazy.flatMap(\.cells) {
      for kind in totals.indices { totals[kind] += cell.counts[kind] }
    }
    return totals
  }

  /// Pages that were left out in front of a row.
  package func hole(before row: Int) -> UInt64 {
    rows[row].pfn - (row == 0 ? 0 : rows[row - 1].pfn + pagesPerRow)
  }

  /// What is said of pages that were left out.
  func text(ofHole pages: UInt64) -> String {
    "\(MemorySize.text(pages: pages)) \(legend.kinds[0].name)"
  }

  /// How many pages a cell and a row stand for.
  func scale(_ cell: String, _ row: String, rows: UInt64 = 1) -> String {
    func text(_ pages: UInt64) -> String {
      "\(pages) page\(pages == 1 ? "" : "s") (\(MemorySize.text(pages: pages)))"
    }
    return "1 \(cell) is \(text(pagesPerCell)), 1 \(row) is \(text(pagesPerRow * rows))"
  }
}
