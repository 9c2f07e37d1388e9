#if Xen
/// Decides when copying while the guest runs has brought all it can.
struct RoundPolicy {
  private static let mostRounds = 8
  /// A round is worth its work if it leaves less than this part of what the one before left.
  private static let gain = 0.75

  let maximumPause: Duration
  private var rounds = 0
  private var lastLeft: Int?

  init(maximumPause: Duration) { self.maximumPause = maximumPause }

  /// - Parameters:
  ///   - left: pages to be copied if the guest were suspended now.
  ///   - timePerPage: what one takes.
  mutating func end(left: Int, timePerPage: Duration?) -> RoundsEnd? {
    defer {
      rounds += 1
      lastLeft = left
    }
    if let timePerPage, timePerPage * left <= maximumPause { return .shortEnough }
    if let lastLeft, Double(left) > Double(lastLeft) * Self.gain { return .noGain }
    return rounds >= Self.mostRounds ? .enough : nil
  }
}
#endif
