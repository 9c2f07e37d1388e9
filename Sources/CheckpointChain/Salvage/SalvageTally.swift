internal import CheckpointImage
internal import Synchronization

/// Counts what the workers rescue and what they do not.
final class SalvageTally: Sendable {
  struct Counts: Sendable {
    /// Pages whose digest an index block has.
    var indexed: UInt64 = 0
    /// Pages for which there is only a region's checksum.
    var unindexed: UInt64 = 0
    /// Pages without stored contents whose state is known.
    var others: UInt64 = 0
    /// Pages that became unreadable, as they were met.
    var lost: [Range<PFN>] = []
    var findings: [CheckpointError] = []
  }

  private let state = Mutex(Counts())

  var counts: Counts { state.withLock { $0 } }

  func rescue(_ pages: Int, indexed: Bool) {
    state.withLock {
      if indexed { $0.indexed += UInt64(pages) } else { $0.unindexed += UInt64(pages) }
    }
  }

  func keep(_ pages: UInt64) { state.withLock { $0.others += pages } }

  func lose(_ pages: Range<PFN>) {
    state.withLock { $0.lost.join(pages) }
  }

  func note(_ error: CheckpointError) {
    state.withLock { if $0.findings.count < Findings.most { $0.findings.append(error) } }
  }
}
