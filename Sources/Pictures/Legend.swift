package import CheckpointImage

/// The kinds that a picture distinguishes, the most important last: in a cell of several kinds, the last one is
/// shown. The first kind is left empty.
///
/// The colours can be distinguished with every kind of colour vision, also by lightness, on light and dark
/// backgrounds.
package struct Legend: Sendable {
  /// The kinds.
  package let kinds: [PageKind]
  /// The kind of pages in a block to which no other kind was assigned.
  package let ground: Int
  private let states: [PageState: Int]

  /// The legend for page states.
  ///
  /// - Parameter ofIncrement: whether it is for an increment by itself, in which most pages are unchanged.
  package static func states(ofIncrement: Bool) -> Legend {
    let unpopulated = PageKind(name: "unpopulated", letter: ".", color: .empty)
    let zero = PageKind(name: "zero", letter: "-", color: Color(0xb4bac0))
    let data = PageKind(name: "data", letter: "d", color: Color(0x0072b2))
    let others: [(PageState, PageKind)] = [
      (.allocateOnly, PageKind(name: "allocateOnly", letter: "a", color: Color(0x009e73))),
      (.evicted, PageKind(name: "evicted", letter: "e", color: Color(0xe69f00))),
      (.unreadable, PageKind(name: "unreadable", letter: "u", color: Color(0xd879b8))),
      (.broken, PageKind(name: "broken", letter: "b", color: Color(0xa50026))),
    ]
    let first: [(PageState, PageKind)]
    if ofIncrement {
      let unchanged = PageKind(name: "unchanged", letter: ".", color: .empty)
      let gone = PageKind(name: "unpopulated", letter: "x", color: Color(0x8c6d31))
      first = [(.unchanged, unchanged), (.zero, zero), (.data, data), (.unpopulated, gone)]
    } else {
      first = [(.unpopulated, unpopulated), (.zero, zero), (.data, data)]
    }
    return Legend(first + others)
  }

  private init(_ kinds: [(PageState, PageKind)]) {
    self.kinds = kinds.map(\.1)
    ground = 0
    states = Dictionary(uniqueKeysWithValues: kinds.enumerated().map { ($1.0, $0) })
  }

  /// The index of a state among the kinds of a legend of states.
  package func index(of state: PageState) -> Int { states[state] ?? 0 }

  /// The legend for changes.
  package static let changes = Legend(
    kinds: [
      PageKind(name: "unpopulated", letter: " ", color: .empty),
      PageKind(name: "no difference", letter: ".", color: Color(0xb4bac0)),
      PageKind(name: "state or type", letter: "s", color: Color(0xe69f00)),
      PageKind(name: "contents", letter: "c", color: Color(0x0072b2)),
      PageKind(name: "came", letter: "+", color: Color(0x009e73)),
      PageKind(name: "went", letter: "-", color: Color(0xa50026)),
    ], ground: 1, states: [:])

  private init(kinds: [PageKind], ground: Int, states: [PageState: Int]) {
    self.kinds = kinds
    self.ground = ground
    self.states = states
  }

  /// A legend of other kinds; pages without one are unpopulated.
  package init(_ kinds: [PageKind]) {
    let unpopulated = PageKind(name: "unpopulated", letter: ".", color: .empty)
    self.init(kinds: [unpopulated] + kinds, ground: 0, states: [:])
  }

  /// The index of a change among the kinds of the legend for changes.
  package static func index(of change: PageChange.Kind) -> Int {
    switch change {
    case .status: 2
    case .contents: 3
    case .came: 4
    case .went: 5
    }
  }
}
