internal import CheckpointImage

/// What the segments of a damaged image say of its pages, and of which pages they may once have said more.
struct DoubtfulPages {
  /// Pages of which nothing is said and of which something may have been said in what is lost.
  enum Silence {
    /// None: everything that was said is there.
    case sound
    /// Any page.
    case doubtful
    /// Pages in these ranges.
    case doubtfulIn(RangeList<PFN>)
  }

  private var stated = StatedPages()
  /// Statements before what was lost last; without ascending-unique a lost one may overrule them.
  private var overruled = 0
  private var isLossy = false
  /// With ascending-unique: the PFNs between a lost segment's neighbours of its kind.
  private var gaps: [Range<PFN>] = []
  private var storedFrom: PFN?
  private var statedFrom: PFN?

  mutating func add(_ region: RegionHeader, offset: UInt64, length: UInt64) {
    close(storedFrom.take(), before: region.runs.first?.pfn)
    stated.add(region, offset: offset, length: length)
  }

  mutating func add(_ extents: [StateExtent]) {
    close(statedFrom.take(), before: extents.first?.pfn)
    stated.add(extents)
  }

  /// Takes note that a segment is lost here; nil if it is not known which kind it was.
  mutating func lose(_ kind: SegmentKind?) {
    isLossy = true
    overruled = stated.count
    if kind != .states { storedFrom = storedFrom ?? stated.lastStored.map { $0 + 1 } ?? 0 }
    if kind != .region { statedFrom = statedFrom ?? stated.lastStated.map { $0 + 1 } ?? 0 }
  }

  private mutating func close(_ start: PFN?, before end: PFN?) {
    if let start, let end, start < end { gaps.append(start..<end) }
  }

  /// What can be trusted, what was said of other pages, and which silent pages are in doubt.
  ///
  /// - Parameter isUnique: the image claims that its PFNs ascend and none comes twice: then a page that
  ///   is there is the only copy.
  func judge(isUnique: Bool) -> (
    trusted: [StatedPages.Statement], others: [StatedPages.Statement], silence: Silence
  ) {
    let (all, areUnique) = stated.final()
    guard isLossy else { return (all, [], .sound) }
    guard isUnique, areUnique, stated.ascends else {
      return (stated.dropping(overruled).final().statements, all, .doubtful)
    }
    let open = [storedFrom, statedFrom].compactMap { $0 }.map { $0..<Limits.pfnEnd }
    return (all, [], .doubtfulIn(RangeList(gaps + open)))
  }
}
