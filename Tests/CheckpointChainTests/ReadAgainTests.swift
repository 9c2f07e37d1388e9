import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Glibc
import TestSupport
import Testing

/// What a root says of its blocks is read again when a block is needed. A file that changed meanwhile never
/// gives other pages.
@Suite struct ReadAgainTests {
  private let bench: ChainBench

  init() throws { bench = try ChainBench() }

  /// Changes a byte of a file where it lies.
  private func flip(_ name: String, at offset: Int) {
    let descriptor = unsafe open(bench.path(name), O_RDWR)
    defer { close(descriptor) }
    var byte: UInt8 = 0
    #expect(unsafe pread(descriptor, &byte, 1, offset) == 1)
    byte ^= 1
    #expect(unsafe pwrite(descriptor, &byte, 1, offset) == 1)
  }

  @Test func rootChangedMeanwhile() throws {
    var random = SplitMix64.forTest("read again")
    var model = ModelMoment()
    model.step(300, pfns: (0..<2000).map { PFN($0) }, using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "0.ckpt")
    model.step(100, pfns: (0..<2000).map { PFN($0) }, using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "1.ckpt", parent: "0.ckpt")
    let sound = try Chain.open(bench.path("1.ckpt"))
    for (place, image) in sound.images.enumerated() {
      let name = place == 0 ? "1.ckpt" : "0.ckpt"
      let number = image.blockNumbers[1]
      let expected = try #require(try sound.pages(ofBlock: number))
      let entry = RootBody.range(ofBlock: 1, behind: image.root)
      var refused = 0
      for byte in entry {
        // A chain keeps the blocks it has read.
        let chain = try Chain.open(bench.path("1.ckpt"))
        // As of a chain of very many images, whose tables would take too much memory.
        for image in chain.images { image.dropTable() }
        let offset = Int(image.trailer.rootOffset) + SegmentFrame.byteCount + byte
        flip(name, at: offset)
        do throws(CheckpointError) {
          #expect(try chain.pages(ofBlock: number) == expected)
        } catch {
          #expect(error.kind == .damaged || error.kind == .incomplete, "\(error)")
          refused += 1
        }
        image.dropTable()
        let error = #expect(throws: CheckpointError.self) { try image.blocks() }
        #expect(error?.kind == .damaged && error?.structure == "root")
        flip(name, at: offset)
      }
      // All but the node, which the chain knows.
      #expect(refused == entry.count - Digest.byteCount)
    }
  }
}
