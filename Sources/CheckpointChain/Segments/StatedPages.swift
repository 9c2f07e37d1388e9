internal import CheckpointCodec
internal import CheckpointImage

/// The pages that an image's regions and states segments mention, whatever its index has: of several
/// statements on a page the last one counts (Spec, "States").
struct StatedPages {
  /// What a segment states of a run of pages.
  struct Statement {
    var pfn: PFN
    var count: UInt64
    var status: PageStatus
    /// Where the first page's contents lie; the others follow it slot by slot.
    var location: PageLocation?

    var end: PFN { pfn + count }

    /// The statement as an index entry for one of its pages, without the digest.
    func entry(_ pfn: PFN) -> PageEntry {
      guard var location else { return PageEntry(status) }
      location.slot += UInt8(pfn - self.pfn)
      return PageEntry(type: status.type, digest: .zero, location: location)
    }

    /// The part from `start` to `end`.
    func part(_ start: PFN, _ end: PFN) -> Statement {
      var part = Statement(pfn: start, count: end - start, status: status, location: location)
      part.location?.slot += UInt8(start - pfn)
      return part
    }
  }

  private var statements: [Statement] = []
  /// The last PFN that a region named, and the last that a states segment named.
  private(set) var lastStored: PFN?
  private(set) var lastStated: PFN?
  /// Whether PFNs ascended, regions and states each taken alone.
  private(set) var ascends = true

  /// How many statements there are.
  var count: Int { statements.count }

  /// Only the statements behind the first `count`.
  func dropping(_ count: Int) -> StatedPages {
    var rest = StatedPages()
    rest.statements = Array(statements[count...])
    return rest
  }

  mutating func add(_ region: RegionHeader, offset: UInt64, length: UInt64) {
    var slot = 0
    for run in region.runs {
      let location = PageLocation(
        offset: offset, length: UInt32(truncatingIfNeeded: length), slot: UInt8(slot))
      statements.append(
        Statement(
          pfn: run.pfn, count: UInt64(run.count), status: PageStatus(.data, type: run.type),
          location: location))
      if let lastStored, run.pfn <= lastStored { ascends = false }
      lastStored = run.pfn + UInt64(run.count) - 1
      slot += run.count
    }
  }

  mutating func add(_ extents: [StateExtent]) {
    for extent in extents {
      statements.append(
        Statement(pfn: extent.pfn, count: extent.count, status: extent.status, location: nil))
      if let lastStated, extent.pfn <= lastStated { ascends = false }
      lastStated = extent.end - 1
    }
  }

  /// The statements that count, ascending and without overlap, and whether all of them do.
  ///
  /// `PageLog` applies the same rule while an image is written, in another way. Painting its pages would take 50 bytes
  /// more for each of them where it takes 6 (4 million pages in no order, in about the same time). Its walk from block
  /// to block would not end here: a hostile image may state an extent of 2^52 pages in 24 bytes.
  func final() -> (statements: [Statement], unique: Bool) {
    let order = statements.indices.sorted {
      (statements[$0].pfn, $0) < (statements[$1].pfn, $1)
    }
    let overlap = zip(order, order.dropFirst()).contains {
      statements[$0].end > statements[$1].pfn
    }
    return overlap ? (painted(), false) : (order.map { statements[$0] }, true)
  }

  /// Paints from the last statement to the first what no later one has painted. Each piece between two
  /// borders is painted once, so the time grows with the number of statements, however they overlap.
  private func painted() -> [Statement] {
    let borders = Set(statements.flatMap { [$0.pfn, $0.end] }).sorted()
    var painter = [Int?](repeating: nil, count: borders.count)
    // From a piece to the next that may be unpainted.
    var next = Array(borders.indices)
    func unpainted(_ start: Int) -> Int {
      var piece = start
      while next[piece] != piece {
        next[piece] = next[next[piece]]
        piece = next[piece]
      }
      return piece
    }
    for index in statements.indices.reversed() {
      var piece = unpainted(Self.index(of: statements[index].pfn, in: borders))
      while borders[piece] < statements[index].end {
        painter[piece] = index
        next[piece] = piece + 1
        piece = unpainted(piece)
      }
    }
    return borders.indices.dropLast().compactMap { piece in
      painter[piece].map { statements[$0].part(borders[piece], borders[piece + 1]) }
    }
  }

  private static func index(of border: PFN, in borders: [PFN]) -> Int {
    borders.indices.partitioningIndex { borders[$0] >= border }
  }
}
