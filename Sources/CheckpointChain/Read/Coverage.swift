internal import CheckpointCodec
internal import CheckpointImage

/// Makes sure that an export gives every populated page once: the layout it follows is no part of any
/// digest.
struct Coverage {
  private struct Block {
    var populated: PageSet
    /// The populated pages not yet given.
    var left: PageSet
  }

  /// The blocks of which pages were given.
  private var blocks: [UInt64: Block] = [:]

  mutating func add(_ ranges: [Range<PFN>], of chain: Chain) throws(CheckpointError) {
    let size = UInt64(Limits.blockPages)
    for range in ranges {
      for number in range.lowerBound / size...(range.upperBound - 1) / size {
        guard var block = try block(number, of: chain) else { continue }
        let first = max(range.lowerBound, number * size)
        for pfn in first..<min(range.upperBound, (number + 1) * size) {
          let slot = Int(pfn - number * size)
          guard block.populated[slot] else { continue }
          guard block.left[slot] else {
            throw CheckpointError(
              .damaged, "PFN \(pfn) comes twice", structure: "layout", file: chain.tip.name)
          }
          block.left[slot] = false
        }
        blocks[number] = block
      }
    }
  }

  func end(_ chain: Chain) throws(CheckpointError) {
    for (number, _) in chain.nodes {
      if let slot = try block(number, of: chain)?.left.members.first {
        throw CheckpointError(
          .damaged, "PFN \(number * UInt64(Limits.blockPages) + UInt64(slot)) is missing",
          structure: "layout", file: chain.tip.name)
      }
    }
  }

  /// The block as it stands; nil if no image describes it.
  private func block(_ number: UInt64, of chain: Chain) throws(CheckpointError) -> Block? {
    if let known = blocks[number] { return known }
    guard let block = try chain.block(number) else { return nil }
    var set = PageSet()
    for slot in 0..<Limits.blockPages where block.entries[slot].status.state != .unpopulated {
      set[slot] = true
    }
    return Block(populated: set, left: set)
  }
}
