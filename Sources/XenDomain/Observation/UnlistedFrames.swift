#if Xen
internal import CheckpointImage

/// A list of frames that are not where a guest's P2M has them, as a text for people and programs.
enum UnlistedFrames {
  /// Of very many runs the first are listed.
  static let mostRuns = 1000

  /// Runs as `PFN=frame` or `PFN-PFN=frame-frame`, separated by commas.
  static func text(_ frames: [(pfn: PFN, frame: UInt64)]) -> String {
    var runs: [(pfn: PFN, frame: UInt64, count: UInt64)] = []
    for (pfn, frame) in frames {
      if let last = runs.last, last.pfn + last.count == pfn, last.frame + last.count == frame {
        runs[runs.count - 1].count += 1
      } else if runs.count == mostRuns {
        break
      } else {
        runs.append((pfn, frame, 1))
      }
    }
    return runs.map { run in
      "\(text(run.pfn, run.count))=\(text(run.frame, run.count))"
    }.joined(separator: ",")
  }

  private static func text(_ first: UInt64, _ count: UInt64) -> String {
    let start = Hexadecimal.string(first)
    return count == 1 ? start : "\(start)-\(Hexadecimal.string(first + count - 1))"
  }
}
#endif
