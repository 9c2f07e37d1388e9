internal import CheckpointCodec
internal import CheckpointImage

/// A block as far as it is left in a damaged image.
struct SalvagedBlock {
  /// What the image itself mentions; a digest is zero where no index block has it.
  var pages = BlockOverlay()
  /// The pages whose state is not known any more; they are unreadable in `pages`.
  var lost = PageSet()
  /// Whether an index block describes it.
  var isIndexed = false
}

extension SalvageEvidence {
  /// What is left of a block.
  func block(_ number: BlockNumber) throws(CheckpointError) -> SalvagedBlock {
    var block = SalvagedBlock()
    if let indexed = try indexBlock(number) {
      block.isIndexed = true
      block.pages.lay(indexed)
      return block
    }
    var named = PageSet()
    let unmentionedState: PageState = parent == nil ? .unpopulated : .unchanged
    forEachPage(of: trusted, in: number) { slot, entry in
      named[slot] = true
      if entry.status.state != unmentionedState { block.pages.set(slot, entry) }
    }
    forEachPage(of: others, in: number) { slot, _ in
      if !named[slot] { block.lost[slot] = true }
    }
    try doubt(number, named, &block)
    for slot in block.lost.members { block.pages.set(slot, PageEntry(PageStatus(.unreadable))) }
    return block
  }

  /// The index block as it was found to be sound before; nil if there is none.
  func indexBlock(_ number: BlockNumber) throws(CheckpointError) -> IndexBlock? {
    guard let offset = index[number] else { return nil }
    let body = try body(at: offset, .index)
    return try IndexBlock(
      parsing: body.rawSpan, at: offset + UInt64(SegmentFrame.byteCount))
  }

  /// Pages that are not mentioned count as lost if a lost segment may have mentioned them.
  private func doubt(_ number: BlockNumber, _ named: PageSet, _ block: inout SalvagedBlock)
    throws(CheckpointError)
  {
    switch unmentioned {
    case .sound: return
    case .doubtfulIn(let gaps):
      for slot in 0..<Limits.blockPages
      where !named[slot] && gaps.contains(number.pfn(slot)) { block.lost[slot] = true }
    case .doubtful:
      // The root names a lost block; where there is none, only the parent's pages are known to be.
      let before = lostBlocks.contains(number) ? nil : try parent?.pages(ofBlock: number)
      for slot in 0..<Limits.blockPages where !named[slot] {
        if lostBlocks.contains(number)
          || before.map({ $0[slot].status.state != .unpopulated }) ?? false
        {
          block.lost[slot] = true
        }
      }
    }
  }

  private func forEachPage(
    of statements: [StatedPages.Statement], in number: BlockNumber, _ body: (Int, PageEntry) -> Void
  ) {
    let pages = number.pages
    let first = statements.indices.partitioningIndex { statements[$0].end > pages.lowerBound }
    for statement in statements[first...] {
      guard statement.pfn < pages.upperBound else { return }
      for slot in number.slots(of: statement.pfn..<statement.end) {
        body(slot, statement.entry(number.pfn(slot)))
      }
    }
  }
}
