import CheckpointImage
import CommandLineSupport

/// Notes which pages are shown as zeros because their contents are unknown.
struct GapNotes {
  /// The most ranges that are listed; further ones are only counted.
  private static let most = 16

  private(set) var pages: [String: UInt64] = [:]
  private var count = 0
  private let silent: Bool

  init(silent: Bool) { self.silent = silent }

  mutating func add(_ gap: StateExtent) {
    pages["\(gap.status.state)", default: 0] += gap.count
    count += 1
    guard !silent, count <= Self.most else { return }
    let pages = Hexadecimal.string(gap.pfn..<gap.end)
    Message.print("\(toolName): shown as zeros: PFN \(pages) \(gap.status.state)")
  }

  func end() {
    guard !silent, count > Self.most else { return }
    let parts = pages.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    Message.print(
      "\(toolName): shown as zeros: \(parts.joined(separator: ", ")) pages in \(count) ranges")
  }
}
