package import CheckpointChain
internal import CheckpointCodec
package import CheckpointImage

/// Whether a guest can go on from a moment, and if not, why: the one place that decides.
package struct Restorability {
  private let chain: Chain
  private let facts: MomentFacts
  /// Evicted pages that the guest would miss, by reason.
  private let missed: [EvictionReason: UInt64]

  /// Examines the index and provenance of a chain's tip.
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

  /// Throws `.refused` if no guest can go on from the moment, whatever format it is exported to: it did not
  /// suspend itself, or it would miss evicted pages.
  package func checkExport() throws(CheckpointError) {
    let reasons = EvictionReason.allCases.filter { missed[$0] != nil }
    if !reasons.isEmpty {
      let parts = reasons.map { "\(missed[$0, default: 0]) \($0)" }.joined(separator: ", ")
      throw refused("pages that the guest would miss were left out (\(parts))")
    }
    if facts.obstacles.contains(.notSuspended) {
      throw refused("the guest did not suspend itself: its memory was read for analysis")
    }
    if facts.obstacles.contains(.uncertainPages) {
      throw refused("its source broke off while memory was sent: pages may be older copies")
    }
    if facts.obstacles.contains(.incompleteSource) {
      throw refused("its source broke off: parts of the machine's state are missing")
    }
  }

  /// Throws `.refused` if no guest can go on from the moment on this machine now.
  package func checkRestore() throws(CheckpointError) {
    try checkExport()
    if facts.isSalvaged {
      throw cannotRun("was salvaged: the guest would miss what was lost")
    }
    if chain.images.contains(where: { $0.root.count(.unreadable) > 0 }) {
      try StatusRuns.forEach(of: chain) { (pages, status) throws(CheckpointError) in
        guard status.state == .unreadable else { return }
        throw cannotRun(
          "PFN \(pages.lowerBound) is unreadable: the guest could not go on without it")
      }
    }
    // Errors in the layout must be found before a domain is created.
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
