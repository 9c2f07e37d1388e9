internal import Operations
package import CheckpointChain
internal import CheckpointCodec
package import CheckpointImage
package import GuestMemory

/// The memory of a chain's tip with the class of each page. Evicted pages do not matter: descriptors are never
/// evicted.
package struct ClassifiedMemory {
  /// Pages of one class.
  package struct Share: Sendable {
    /// The number of pages.
    package var pages: UInt64 = 0
    /// The number of pages whose contents the image does not hold.
    package var evicted: UInt64 = 0
  }

  /// The guest.
  package let guest: LinuxGuest
  /// The class of each of its pages.
  package let classes: PageClasses
  private let chain: Chain

  /// Recognises the guest and reads its page descriptors.
  ///
  /// - Throws: `.refused` if no guest is recognised.
  package init(_ chain: Chain) throws(CheckpointError) {
    self.chain = chain
    do throws(CheckpointError) {
      guest = try LinuxGuest.find(in: ChainMemory(chain), MemoryClues(chain.completeRecords()))
      classes = try PageClasses(of: guest)
    } catch {
      throw error.inFile(chain.tip.name)
    }
  }

  /// Calls `body` with runs of populated pages of one class, ascending.
  package func forEachRun(_ body: @escaping (Range<PFN>, PageClass) throws(CheckpointError) -> Void)
    throws(CheckpointError)
  {
    var joiner = RunJoiner<PageClass>()
    try StatusRuns.forEach(of: chain) { (pages, _) throws(CheckpointError) in
      try forEachRun(pages) { (run, found) throws(CheckpointError) in
        if let last = joiner.add(run, found) { try body(last.pages, last.value) }
      }
    }
    if let last = joiner.end() { try body(last.pages, last.value) }
  }

  /// The pages of each class.
  package func shares() throws(CheckpointError) -> [PageClass: Share] {
    var shares: [PageClass: Share] = [:]
    try StatusRuns.forEach(of: chain) { (pages, status) throws(CheckpointError) in
      try forEachRun(pages) { run, found in
        shares[found, default: Share()].pages += UInt64(run.count)
        if status.state == .evicted { shares[found, default: Share()].evicted += UInt64(run.count) }
      }
    }
    return shares
  }

  private func forEachRun(
    _ pages: Range<PFN>, _ body: (Range<PFN>, PageClass) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var start = pages.lowerBound
    while start < pages.upperBound {
      let found = classes[start]
      var end = start + 1
      while end < pages.upperBound, classes[end] == found { end += 1 }
      try body(start..<end, found)
      start = end
    }
  }
}
