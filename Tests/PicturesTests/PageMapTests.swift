import CheckpointImage
import TestSupport
import Testing

@testable import Pictures

/// What a map counts is what there is, whatever the guest's size.
@Suite struct PageMapTests {
  /// Random blocks and kinds against a dictionary of pages.
  @Test func cellsCountPages() {
    var random = SplitMix64.forTest("cellsCountPages")
    for _ in 0..<20 {
      let starts: [UInt64] = [0, 37, 1 << 20, 1 << 31, BlockNumber.last.value - 40]
      let blocks = Set(
        starts.flatMap { start in
          (0..<40).filter { _ in Bool.random(using: &random) }.map {
            BlockNumber(start + UInt64($0))
          }
        }
      ).sorted()
      let legend = Legend.states(ofIncrement: Bool.random(using: &random))
      let columns = [16, 32, 128].randomElement(using: &random) ?? 16
      let limit = Int.random(in: 1...80, using: &random)
      var map = PageMap(blocks: blocks, legend: legend, columns: columns, limit: limit)
      var model: [PFN: Int] = [:]
      for block in blocks {
        var pfn = block.firstPage
        while pfn < block.pages.upperBound {
          let end = min(block.pages.upperBound, pfn + UInt64.random(in: 1...300, using: &random))
          let kind = Int.random(in: 0..<legend.kinds.count, using: &random)
          map.add(pfn..<end, kind: kind)
          for page in pfn..<end { model[page] = kind }
          pfn = end
        }
      }
      check(map, model, limit: limit)
    }
  }

  private func check(_ map: PageMap, _ model: [PFN: Int], limit: Int) {
    #expect(map.rows.count <= limit)
    #expect(map.pagesPerCell.nonzeroBitCount == 1)
    var cells: [PFN: [UInt64]] = [:]
    for (pfn, kind) in model {
      let first = pfn / map.pagesPerCell
      var counts = cells[first] ?? Array(repeating: 0, count: map.legend.kinds.count)
      counts[kind] += 1
      cells[first] = counts
    }
    var shown = 0
    for (index, row) in map.rows.enumerated() {
      #expect(row.pfn % map.pagesPerRow == 0 && row.cells.count == map.columns)
      if index > 0 { #expect(row.pfn > map.rows[index - 1].pfn) }
      for (column, cell) in row.cells.enumerated() {
        let first = row.pfn / map.pagesPerCell + UInt64(column)
        var expected = cells[first] ?? Array(repeating: 0, count: map.legend.kinds.count)
        if cells[first] != nil { shown += 1 }
        // What is no page of the model is of the first kind.
        expected[0] += map.pagesPerCell - expected.reduce(0, +)
        #expect(cell.counts == expected, "cell at PFN \(first * map.pagesPerCell)")
        let heights = MapDrawing.heights(cell)
        #expect(heights.reduce(0, +) == 8)
        #expect(zip(heights, expected).allSatisfy { ($0 > 0) == ($1 > 0) }, "every kind is seen")
      }
    }
    #expect(shown == cells.count, "every page is in a row")
    // Cells are no larger than they must be.
    if map.pagesPerCell > 1 {
      let rows = Set(model.keys.map { $0 / (map.pagesPerRow / 2) }).sorted()
      let gaps = zip(rows, rows.dropFirst()).map { $1 - $0 - 1 }.filter { $0 <= 3 }
      #expect(rows.count + Int(gaps.reduce(0, +)) > limit)
    }
  }

  /// A row for every scattered block would be millions: the picture stays small.
  @Test func manyHoles() {
    let blocks = (0..<100_000).map { BlockNumber(UInt64($0) * (BlockNumber.last.value / 100_000)) }
    let map = PageMap(blocks: blocks, legend: .changes, columns: 128, limit: 128)
    #expect(map.rows.count <= 128 && map.rows.count > 30)
    #expect(map.totals[1] == 100_000 * 512)
    for lines in [TerminalMap(map, .letters).lines, TerminalMap(map, .full).lines] {
      #expect(lines.count < 300)
    }
  }

  @Test func noPages() {
    let map = PageMap(blocks: [], legend: .changes, columns: 64, limit: 10)
    #expect(map.rows.isEmpty)
    #expect(!MapDrawing(map, titles: ["nothing"]).png().isEmpty)
    #expect(TerminalMap(map, .full).lines.count == 1)
  }

  /// Letters: the kind that matters most, large if it fills half of the cell.
  @Test func letters() {
    let legend = Legend.states(ofIncrement: false)
    var map = PageMap(
      blocks: [BlockNumber(0), BlockNumber(1 << 40)], legend: legend, columns: 64, limit: 2)
    #expect(map.pagesPerCell == 8)
    map.add(0..<16, kind: legend.index(of: .zero))
    map.add(16..<20, kind: legend.index(of: .data))
    map.add(24..<25, kind: legend.index(of: .evicted))
    map.add(32..<33, kind: legend.index(of: .data))
    map.add(33..<40, kind: legend.index(of: .zero))
    let lines = TerminalMap(map, .letters).lines
    #expect(lines[1] == "0x0000000000000000 --Ded" + String(repeating: ".", count: 59))
    #expect(lines[2] == "  … 2 EiB unpopulated")
    #expect(lines.contains(" - 23 zero") && lines.contains("Dd 5 data"))
  }
}
