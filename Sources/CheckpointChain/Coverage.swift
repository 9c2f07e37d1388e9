internal import CheckpointCodec
internal import CheckpointImage

/// Makes sure that an export gives every populated page once: the layout it follows is no part of any
/// digest.
struct Coverage {
  /// The populated pages not yet given, by block.
  private var left: [UInt64: PageSet] = [:]

  mutating func add(_ ranges: [Range<PFN>], of chain: Chain) throws(CheckpointError) {
    let size = UInt64(Limits.blockPages)
    for range in ranges {
      for number in range.lowerBound / size...(range.upperBound - 1) / size {
        guard let block = try chain.block(number) else { continue }
        let populated = Self.populated(block)
        var set = left[number] ?? populated
        let first = max(range.lowerBound, number * size)
        for pfn in first..<min(range.upperBound, (number + 1) * size) {
          let slot = Int(pfn - number * size)
          guard populated[slot] else { continue }
          guard set[slot] else {
            throw CheckpointError(
              .damaged, "PFN \(pfn) comes twice", structure: "layout", file: chain.tip.name)
          }
          set[slot] = false
        }
        left[number] = set
      }
    }
  }

  func end(_ chain: Chain) throws(CheckpointError) {
    for (number, _) in chain.nodes {
      var set = left[number]
      if set == nil, let block = try chain.block(number) { set = Self.populated(block) }
      if let slot = set?.members.first {
        throw CheckpointError(
          .damaged, "PFN \(number * UInt64(Limits.blockPages) + UInt64(slot)) is missing",
          structure: "layout", file: chain.tip.name)
      }
    }
  }

  private static func populated(_ block: ChainBlock) -> PageSet {
    var set = PageSet()
    for slot in 0..<Limits.blockPages where block.entries[slot].status.state != .unpopulated {
      set[slot] = true
    }
    return set
  }
}
