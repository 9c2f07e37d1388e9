#if Xen
/// What was done to a domain and must be undone.
struct Outstanding: OptionSet, Sendable {
  let rawValue: UInt8
  /// Log-dirty mode is on.
  static let dirtyLog = Outstanding(rawValue: 1 << 0)
  /// The guest was asked to suspend itself, and perhaps has.
  static let suspend = Outstanding(rawValue: 1 << 1)
  /// Its vCPUs are paused, once.
  static let pause = Outstanding(rawValue: 1 << 2)
  /// The process that xl left behind for it ends, or has ended, because we suspended it.
  static let monitor = Outstanding(rawValue: 1 << 3)
  /// Its memory target was lowered, and what it gave up is perhaps kept for it.
  static let target = Outstanding(rawValue: 1 << 4)

  private static let words = [
    (Outstanding.dirtyLog, "log-dirty"), (.suspend, "suspend"), (.pause, "pause"),
    (.monitor, "monitor"), (.target, "memory-target"),
  ]

  /// The words of a journal.
  var names: [String] { Self.words.filter { contains($0.0) }.map(\.1) }

  /// From the words of a journal; unknown ones are passed over.
  init(names: [String]) {
    self.init(Self.words.filter { names.contains($0.1) }.map(\.0))
  }

  init(rawValue: UInt8) { self.rawValue = rawValue }
}
#endif
