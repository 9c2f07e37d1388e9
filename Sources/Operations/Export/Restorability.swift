package import CheckpointChain
internal import CheckpointCodec
package import CheckpointImage

/// Whether a guest can go on from a moment, and if not, why: the one place that decides.
package struct Restorability {
  private let chain: Chain
  private let facts: MomentFacts
  /// Evicted pages that the guest would miss.
  private let missed: [EvictionReason: UInt64]

  /// Looks at the index and the history of a chain's tip.
  package init(of chain: Chain) throws(CheckpointError) {
    self.chain = chain
    facts = MomentFacts(try chain.tip.provenance())
    var missed: [EvictionReason: UInt64] = [:]
    if chain.images.contains(where: { $0.root.count(.evicted) > 0 }) {
      try StatusRuns.forEach(of: chain) { pages, status in
        guard status.state == .evicted, !status.reason.isRestorable else { return }
        missed[status.reason, default: 0] += UInt64(pages.count)
      }
    }
    self.missed = missed
  }

  /// Fails if no guest can go on from the moment, whatever the image is wrapped in: it did not suspend itself,
  /// or it would miss pages that were evicted.
  package func checkExport() throws(CheckpointError) {
    let reasons = EvictionReason.allCases.filter { missed[$0] != nil }
    if !reasons.isEmpty {
      let parts = reasons.map { "\(missed[$0, default: 0]) \($0)" }.joined(separator: ", ")
      throw refused("pages that the guest would miss were left out (\(parts))")
    }
    if facts.obstacles.contains(.notSuspended) {
      throw refused("the guest did not suspend itself: its memory was read for analysis")
    }
  }

  /// Fails if no guest can go on from the moment as it was, on this machine, at once.
  package func checkRestore() throws(CheckpointError) {
    try checkExport()
    if facts.isSalvaged {
      throw cannotRun("was salvaged: what it lacks, the guest would miss while it runs")
    }
    if chain.images.contains(where: { $0.root.count(.unreadable) > 0 }) {
      try StatusRuns.forEach(of: chain) { (pages, status) throws(CheckpointError) in
        guard status.state == .unreadable else { return }
        throw cannotRun(
          "PFN \(pages.lowerBound) is unreadable: the guest could not go on without it")
      }
    }
    // What this finds must not be found when the domain has been begun.
    try ChainStream.checkLayout(of: chain)
  }

  private func refused(_ reason: String) -> CheckpointError {
    CheckpointError(
      .refused, reason + ": no guest can go on from it", file: chain.tip.name,
      hint: .exportMemory)
  }

  private func cannotRun(_ reason: String) -> CheckpointError {
    CheckpointError(
      .refused, "cannot become a running domain: \(reason)", file: chain.tip.name)
  }
}
