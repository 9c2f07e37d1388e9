package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage

/// The pages of a moment, divided as crash dumps need them, from the index alone.
package struct DumpPages {
  /// The most pages that an x86-64 processor can address.
  package static let end: PFN = 1 << 40

  /// Pages whose contents are known.
  package private(set) var known: [Range<PFN>] = []
  /// Pages that the guest has.
  package private(set) var populated: [Range<PFN>] = []
  /// Populated pages that are not among the known ones.
  package private(set) var missing = OmittedPages()

  /// The pages of the chain's tip.
  package init(of chain: Chain) throws(CheckpointError) {
    // The closure is not allowed to consume what it captures.
    var pages = Gathered()
    try StatusRuns.forEach(of: chain) { (run, status) throws(CheckpointError) in
      guard run.upperBound <= Self.end else {
        throw CheckpointError(
          .refused, "PFN \(run.upperBound - 1) is beyond the memory of any x86-64 machine",
          file: chain.tip.name)
      }
      pages.populated.join(run)
      if status.state == .data || status.state == .zero {
        pages.known.join(run)
      } else {
        pages.missing.count(status.state, UInt64(run.count))
      }
    }
    known = pages.known
    populated = pages.populated
    missing = pages.missing
  }

  /// Drops the pages from `limit` on.
  package mutating func end(at limit: PFN) {
    populated = populated.map { $0.clamped(to: 0..<limit) }.filter { !$0.isEmpty }
    let all = known
    known = all.map { $0.clamped(to: 0..<limit) }.filter { !$0.isEmpty }
    missing.undescribed = Self.count(all) - Self.count(known)
  }

  private static func count(_ runs: [Range<PFN>]) -> UInt64 {
    runs.reduce(0) { $0 + UInt64($1.count) }
  }

  /// Leaves out pages although their contents are known.
  package mutating func leaveOut(_ plan: EvictionPlan) {
    let all = known
    known = all.flatMap { run in
      plan.runs(of: run).filter { $0.reason == .none }.map(\.pages)
    }
    missing.excluded += Self.count(all) - Self.count(known)
  }

  private struct Gathered {
    var known: [Range<PFN>] = []
    var populated: [Range<PFN>] = []
    var missing = OmittedPages()
  }
}
