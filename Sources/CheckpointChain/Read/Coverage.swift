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
  private var blocks: [BlockNumber: Block] = [:]

  mutating func add(_ ranges: [Range<PFN>], of chain: Chain) throws(CheckpointError) {
    for range in ranges {
      for number in BlockNumber.covering(range) {
        guard var block = try block(number, of: chain) else { continue }
        for slot in number.slots(of: range) {
          guard block.populated[slot] else { continue }
          guard block.left[slot] else {
            throw CheckpointError(
              .damaged, "PFN \(number.pfn(slot)) comes twice", structure: "layout",
              file: chain.tip.name)
          }
          block.left[slot] = false
        }
        blocks[number] = block
      }
    }
  }

  func end(_ chain: Chain) throws(CheckpointError) {
    for (number, _) in chain.memoryTree {
      if let slot = try block(number, of: chain)?.left.members.first {
        throw CheckpointError(
          .damaged, "PFN \(number.pfn(slot)) is missing",
          structure: "layout", file: chain.tip.name)
      }
    }
  }

  /// The block as it stands; nil if no image describes it.
  private func block(_ number: BlockNumber, of chain: Chain) throws(CheckpointError) -> Block? {
    if let known = blocks[number] { return known }
    guard let block = try chain.block(number) else { return nil }
    var set = PageSet()
    for slot in 0..<Limits.blockPages where block.entries[slot].status.state != .unpopulated {
      set[slot] = true
    }
    return Block(populated: set, left: set)
  }
}
