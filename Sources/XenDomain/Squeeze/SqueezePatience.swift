#if Xen
/// How long to wait for a guest that gives up memory: as long as it makes progress. One page at a time does not count:
/// at that rate a guest could take days.
struct SqueezePatience {
  /// A guest that makes no progress for so long gives up no more.
  static let patience = Duration.seconds(5)
  /// The part of what it is asked for that is progress.
  private static let stride: UInt64 = 16

  private let stride: UInt64
  private var mark: UInt64
  private var end: ContinuousClock.Instant

  /// Begins to wait for a guest that has so many pages now and shall go down to `goal`.
  init(pages: UInt64, goal: UInt64, now: ContinuousClock.Instant) {
    stride = max(1, (pages - min(goal, pages)) / Self.stride)
    mark = pages
    end = now + Self.patience
  }

  /// Whether to wait longer, now that it has so many pages.
  mutating func lasts(pages: UInt64, now: ContinuousClock.Instant) -> Bool {
    if pages <= mark - min(stride, mark) {
      mark = pages
      end = now + Self.patience
    }
    return now < end
  }
}
#endif
