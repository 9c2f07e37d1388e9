#if Xen
/// How a domain's memory target was changed, for its balloon to give memory up.
struct TargetChange: Equatable, Sendable {
  /// What it was, in KiB.
  let original: UInt64
  /// Pages the domain had then.
  let pages: UInt64
  /// What was written last, or is about to be, in KiB.
  private(set) var last: UInt64
  /// What is there until that is written.
  private(set) var before: UInt64

  /// Nothing was changed yet.
  init(original: UInt64, pages: UInt64) {
    self.original = original
    self.pages = pages
    last = original
    before = original
  }

  /// With another value to be written.
  func moved(to target: UInt64) -> TargetChange {
    var next = self
    next.last = target
    return next
  }

  /// With the last value written.
  func written() -> TargetChange {
    var next = self
    next.before = last
    return next
  }

  /// Whether what it was has been written again.
  var isBack: Bool { last == original && before == original }

  /// Whether a value found in xenstore was written here: what somebody else wrote must not be lost.
  func isOurs(_ value: String?) -> Bool {
    guard let number = value.flatMap({ UInt64($0) }) else { return false }
    return number == last || number == before
  }

  /// The words of a journal.
  var words: [String] { [original, pages, last, before].map(String.init) }

  /// From the words of a journal; nil if they are none.
  init?(words: [String]) {
    let numbers = words.compactMap { UInt64($0) }
    guard numbers.count == 4, words.count == 4 else { return nil }
    (original, pages, last, before) = (numbers[0], numbers[1], numbers[2], numbers[3])
  }
}
#endif
