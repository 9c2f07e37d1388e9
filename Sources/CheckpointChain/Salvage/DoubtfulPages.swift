internal import CheckpointImage

/// The pages that the segments of a damaged image mention, and those that lost ones may have mentioned.
struct DoubtfulPages {
  /// Pages that are not mentioned and that a lost segment may have mentioned.
  enum Unmentioned {
    /// None: nothing is lost.
    case sound
    /// Any page.
    case doubtful
    /// Pages in these ranges.
    case doubtfulIn(RangeList<PFN>)
  }

  private var stated = StatedPages()
  /// Statements before what was lost last; without ascending-unique a lost one may supersede them.
  private var superseded = 0
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
    superseded = stated.count
    if kind != .states { storedFrom = storedFrom ?? stated.lastStored.map { $0 + 1 } ?? 0 }
    if kind != .region { statedFrom = statedFrom ?? stated.lastStated.map { $0 + 1 } ?? 0 }
  }

  private mutating func close(_ start: PFN?, before end: PFN?) {
    if let start, let end, start < end { gaps.append(start..<end) }
  }

  /// The statements that can be trusted, those on other pages, and which unmentioned pages are in doubt.
  ///
  /// - Parameter isUnique: the image claims that its PFNs ascend and none comes twice: then a page that
  ///   is there is the only copy.
  func judge(isUnique: Bool) -> (
    trusted: [StatedPages.Statement], others: [StatedPages.Statement], unmentioned: Unmentioned
  ) {
    let (all, areUnique) = stated.final()
    guard isLossy else { return (all, [], .sound) }
    guard isUnique, areUnique, stated.ascends else {
      return (stated.dropping(superseded).final().statements, all, .doubtful)
    }
    let open = [storedFrom, statedFrom].compactMap { $0 }.map { $0..<Limits.pfnEnd }
    return (all, [], .doubtfulIn(RangeList(gaps + open)))
  }
}
