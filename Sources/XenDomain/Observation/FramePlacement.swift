#if Xen
internal import CheckpointImage

/// Where in an image the machine frames of a PV domain go: each has a PFN, and no two have the same.
///
/// Xen's table gives each frame a PFN, but the guest may write that for its own frames, as it may write its P2M:
/// both may name a frame twice, or far out, or not at all.
struct FramePlacement {
  /// The machine frame of each PFN; `P2MTable.none` where there is none.
  private(set) var frames: [UInt64] = []
  /// The frames that the P2M does not have at the PFN where they stand, by PFN.
  private(set) var unlisted: [(pfn: PFN, frame: UInt64)] = []

  /// All frames, ascending, and the PFN of each.
  private let owned: [UInt64]
  private var places: [PFN]

  /// - Parameters:
  ///   - owned: the frames, ascending.
  ///   - claims: the PFN that Xen's table has for each.
  ///   - limit: a frame with a PFN from here on is put behind the others.
  ///   - table: the P2M; nil if it cannot be read.
  init(_ owned: [UInt64] = [], claims: [PFN?] = [], limit: PFN = 0, table: [UInt64]? = nil) {
    self.owned = owned
    places = [PFN](repeating: 0, count: owned.count)
    let claims = claims.map { claim in claim.flatMap { $0 < limit ? Int($0) : nil } }
    frames = [UInt64](repeating: P2MTable.none, count: (claims.compactMap { $0 }.max() ?? -1) + 1)
    var left: [Int] = []
    // Of several frames of one PFN, the one in the P2M is in its place.
    for (index, claim) in claims.enumerated() {
      if let claim, let table, claim < table.count, table[claim] == owned[index] {
        put(index, at: claim)
      } else {
        left.append(index)
      }
    }
    var displaced: [Int] = []
    for index in left {
      guard let claim = claims[index], frames[claim] == P2MTable.none else {
        displaced.append(index)
        continue
      }
      put(index, at: claim)
      if table != nil { unlisted.append((PFN(claim), owned[index])) }
    }
    unlisted.sort { $0.pfn < $1.pfn }
    guard !displaced.isEmpty else { return }
    let first = Int(BlockNumber.covering(0..<PFN(frames.count)).upperBound.firstPage)
    frames += repeatElement(P2MTable.none, count: first + displaced.count - frames.count)
    for (place, index) in displaced.enumerated() {
      put(index, at: first + place)
      unlisted.append((PFN(first + place), owned[index]))
    }
  }

  private mutating func put(_ index: Int, at pfn: Int) {
    frames[pfn] = owned[index]
    places[index] = PFN(pfn)
  }

  /// The PFN where a machine frame stands; nil if the domain does not own it.
  func pfn(of frame: UInt64) -> PFN? {
    let index = owned.indices.partitioningIndex { owned[$0] >= frame }
    return index < owned.count && owned[index] == frame ? places[index] : nil
  }
}
#endif
