internal import Glibc

/// A line on a terminal with progress, speed and remaining time.
package final class ProgressLine {
  private let label: String
  private let isShown: Bool
  private let start = ContinuousClock.now
  private var last = ContinuousClock.now

  /// A line labelled `label`; shows nothing without a terminal or with `quiet`.
  package init(_ label: String, quiet: Bool) {
    self.label = label
    isShown = !quiet && isatty(STDERR_FILENO) == 1
  }

  /// Shows the fraction that is done, 0 to 1; nil if it is unknown.
  package func update(_ fraction: Double?) {
    guard isShown, last.duration(to: .now) > .milliseconds(200) else { return }
    last = .now
    let elapsed = Self.seconds(start.duration(to: last))
    var text = "\(label): \(Int(elapsed)) s"
    if let fraction, fraction > 0 {
      let left = elapsed / fraction - elapsed
      text = "\(label): \(Int(fraction * 100)) %, \(Int(left.rounded(.up))) s left"
    }
    show("\r\u{1b}[K" + text)
  }

  /// Erases the line.
  package func end() {
    if isShown { show("\r\u{1b}[K") }
  }

  private func show(_ text: String) {
    let bytes = Array(text.utf8)
    unsafe bytes.withUnsafeBytes { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
