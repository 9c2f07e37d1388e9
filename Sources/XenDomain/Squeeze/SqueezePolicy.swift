#if Xen
internal import GuestMemory

/// Decides how far a guest is squeezed, in steps: it must never be short of memory. Numbers are pages.
struct SqueezePolicy {
  /// What to do next.
  enum Step: Equatable {
    /// Ask the guest to go down to so many pages.
    case lower(to: UInt64)
    /// It is enough.
    case end(SqueezeEnd)
    /// It was too much: let the guest have so many pages again.
    case easeOff(to: UInt64, SqueezeEnd)
  }

  /// What stays with the guest beside what it needs: a part of its memory, and at least 16 MiB.
  private static let floorPart: UInt64 = 32
  private static let leastFloor: UInt64 = 4096
  /// What is asked for in one step.
  private static let stepPart: UInt64 = 8
  private static let leastStep: UInt64 = 256
  /// Pages that may go to swap for other reasons.
  private static let swapNoise: UInt64 = 64

  /// What is always left to the guest to spend.
  let floor: UInt64
  private let all: UInt64
  private let goal: UInt64
  private let step: UInt64
  /// The most that was seen; nil before the first counters.
  private var swapRoom: UInt64?

  /// - Parameters:
  ///   - pages: what the guest has.
  ///   - goal: what it shall have in the end, at least; nil for as little as it needs.
  init(pages: UInt64, goal: UInt64?) {
    all = pages
    self.goal = goal ?? 0
    floor = max(pages / Self.floorPart, Self.leastFloor)
    step = max(pages / Self.stepPart, Self.leastStep)
  }

  /// - Parameters:
  ///   - pages: what the guest has now.
  ///   - counters: what its kernel says of its memory; nil if it is not known.
  mutating func next(pages: UInt64, counters: MemoryCounters?) -> Step {
    if let end = pressure(counters) { return .easeOff(to: eased(pages, counters), end) }
    guard pages > goal else { return .end(.reached) }
    var most = min(step, pages - goal)
    if let counters {
      let room = counters.spare > floor ? counters.spare - floor : 0
      guard room >= Self.leastStep else { return .end(.noneToSpare) }
      most = min(most, room)
    }
    return .lower(to: pages - most)
  }

  /// The guest has not gone down as far as it was asked to.
  func stalled(pages: UInt64) -> Step {
    .easeOff(to: min(all, pages &+ floor), pages < all ? .stalled : .nothingGiven)
  }

  /// Why the guest must not be squeezed as much as it is; nil if nothing speaks against it.
  mutating func pressure(_ counters: MemoryCounters?) -> SqueezeEnd? {
    // A guest without counters is not known to be short; one that had them could be short by now.
    guard let counters else { return swapRoom == nil ? nil : .silent }
    let room = max(swapRoom ?? 0, counters.swapRoom)
    swapRoom = room
    if room - counters.swapRoom > Self.swapNoise { return .swaps }
    return counters.spare < floor / 2 ? .short : nil
  }

  /// How much it shall have when it had too little.
  func eased(_ pages: UInt64, _ counters: MemoryCounters?) -> UInt64 {
    let missing = floor - min(floor, counters?.spare ?? 0)
    return min(all, pages &+ max(missing, step))
  }
}

/// Why a guest is squeezed no further.
package enum SqueezeEnd: String, Sendable {
  case reached = "it has as little as was asked for"
  case noneToSpare = "it needs what it still has"
  case stalled = "it gave up no more"
  case nothingGiven = "it gave up nothing: no balloon driver, or nothing to spare"
  case short = "it was getting short of memory, and got some back"
  case swaps = "it began to swap, and got memory back"
  case silent = "what it needs could not be read any more, and it got memory back"
  case hostShort = "others took memory that it gave up, so that it got the rest back"
}

extension MemoryCounters {
  /// What the guest can give up without writing anything.
  fileprivate var spare: UInt64 { free &+ cleanCache }
}
#endif
