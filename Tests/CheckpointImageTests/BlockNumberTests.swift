import CheckpointImage
import TestSupport
import Testing

/// Numbers of blocks and slots are quotients and remainders by 512.
@Suite struct BlockNumberTests {
  @Test func pagesAndSlots() {
    var random = SplitMix64.forTest("block numbers")
    for _ in 0..<200 {
      let pfn = random.pfn()
      let block = BlockNumber(containing: pfn)
      #expect(block.value == pfn / 512)
      #expect(block.slot(of: pfn) == Int(pfn % 512))
      #expect(block.pfn(block.slot(of: pfn)) == pfn)
      #expect(block.pages.contains(pfn) && block.pages.count == 512)
      #expect(block <= .last)
    }
    #expect(BlockNumber.last.pages.upperBound == Limits.pfnEnd)
  }

  @Test func partsOfARange() {
    var random = SplitMix64.forTest("blocks of a range")
    for _ in 0..<200 {
      let start = UInt64(random.int(0...3000))
      let pages = start..<start + UInt64(random.int(0...2000))
      let found = BlockNumber.covering(pages).flatMap { block in
        block.slots(of: pages).map { block.pfn($0) }
      }
      #expect(found == Array(pages))
    }
    #expect(BlockNumber(9).slots(of: 0..<512).isEmpty)
  }
}
