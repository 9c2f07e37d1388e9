package import CheckpointCodec
package import CheckpointImage
internal import Storage

/// Pages that follow each other and have the same state, type and reason, from the index alone.
package struct StatusRuns {
  private let body: (Range<PFN>, PageStatus) throws(CheckpointError) -> Void
  private var joiner = RunJoiner<PageStatus>()

  /// Gives the runs of a moment to `body`, ascending, without unpopulated pages.
  package static func forEach(
    of chain: Chain, _ body: @escaping (Range<PFN>, PageStatus) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var runs = StatusRuns(body: body)
    for (number, _) in chain.memoryTree {
      try chain.cancellation.check()
      guard let pages = try chain.pages(ofBlock: number) else { continue }
      for slot in pages.indices where pages[slot].status.state != .unpopulated {
        try runs.add(number, slot, pages[slot].status)
      }
    }
    try runs.end()
  }

  /// Gives the runs of the pages that an image itself mentions to `body`, ascending.
  package static func forEach(
    of image: ImageFile, _ body: @escaping (Range<PFN>, PageStatus) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var runs = StatusRuns(body: body)
    for place in try image.blocks() {
      try image.cancellation.check()
      let block = try image.indexBlock(place)
      for (slot, entry) in zip(block.occupancy.members, block.entries) {
        try runs.add(block.number, slot, entry.status)
      }
    }
    try runs.end()
  }

  private mutating func add(_ block: BlockNumber, _ slot: Int, _ status: PageStatus)
    throws(CheckpointError)
  {
    let pfn = block.pfn(slot)
    if let run = joiner.add(pfn..<pfn + 1, status) { try body(run.pages, run.status) }
  }

  private mutating func end() throws(CheckpointError) {
    if let run = joiner.end() { try body(run.pages, run.status) }
  }
}
