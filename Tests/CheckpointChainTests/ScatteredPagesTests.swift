@testable import CheckpointChain
import CheckpointCodec
import CheckpointImage
import TestSupport
import Testing

/// Pages gathered in a temporary file are the pages of the chain.
@Suite struct ScatteredPagesTests {
  @Test func gatheredPagesAreTheSame() throws {
    let bench = try ChainBench()
    var random = SplitMix64.forTest("scattered pages")
    // Each increment's regions reach over blocks far apart.
    let pfns = (0..<12).flatMap { block in (0..<20).map { PFN(block * 5120 + $0 * 7) } }
    var model = ModelMoment()
    model.step(400, pfns: pfns, using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "0.ckpt")
    for number in 1..<12 {
      model.step(60, pfns: pfns, using: &random)
      try bench.capture(
        ModelSource(model, using: &random), as: "\(number).ckpt", parent: "\(number - 1).ckpt",
        settings: CodecSettings(regionPages: 256))
    }
    let chain = try Chain.open(bench.path("11.ckpt"))
    let blocks = chain.memoryTree.map(\.block)
    let enough = try ScatteredPages.gather(chain, blocks, room: 64 << 20, on: bench.pool)
    #expect(enough == nil)
    // The second time, some blocks only.
    for wanted in [blocks, blocks.filter { $0.value % 3 != 0 }] {
      let scattered = try #require(
        try ScatteredPages.gather(chain, wanted, room: 0, on: bench.pool))
      let reader = PageReader(chain, scattered, bench.pool.buffers)
      var gathered = 0
      for number in wanted {
        let block = try #require(try chain.block(number))
        for (slot, entry) in block.entries.enumerated() where entry.status.state == .data {
          let pfn = number.pfn(slot)
          gathered += scattered.holds(image: block.image[slot], entry.location) ? 1 : 0
          let batch = try reader.read([pfn..<pfn + 1])
          let found = unsafe batch.buffer.page(0).withUnsafeBytes { unsafe Array($0) }
          #expect(found == ModelMoment.contents(try #require(model.pages[pfn]).seed))
        }
      }
      // Chance decides how many; with none of them nothing would have been tried.
      #expect(gathered > 10)
    }
  }
}
