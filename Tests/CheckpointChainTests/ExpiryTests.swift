import CheckpointChain
import CheckpointCodec
import CheckpointImage
import TestSupport
import Testing

/// Base and ten increments; the oldest seven are merged into one file and deleted.
@Suite struct ExpiryTests {
  @Test func youngerTipsLiveOn() throws {
    var random = SplitMix64.forTest("expiry")
    let bench = try ChainBench()
    var model = ModelMoment()
    var models: [ModelMoment] = []
    let pfns = (0..<1500).map { PFN($0) }
    for index in 0...10 {
      model.step(index == 0 ? 3000 : 100, pfns: pfns, using: &random)
      try bench.capture(
        ModelSource(model, using: &random), as: "\(index).ckpt",
        parent: index == 0 ? nil : "\(index - 1).ckpt")
      models.append(model)
    }
    try bench.merge("6.ckpt", as: "merged.ckpt")
    for index in 0...6 { bench.folder.remove("\(index).ckpt") }
    for index in 7...10 {
      #expect(try bench.findings("\(index).ckpt") == [])
      try bench.expect("\(index).ckpt", equals: models[index], "image \(index)")
    }
  }

  @Test func wholeRegionsAreCopiedWithoutExpanding() throws {
    var random = SplitMix64.forTest("copies")
    let bench = try ChainBench()
    var model = ModelMoment()
    model.step(3000, pfns: (0..<800).map { PFN($0) }, using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "base.ckpt")
    // The increment adds pages elsewhere, and overrules one page in each of four regions of eight: all
    // regions of both images survive whole, these with a dead copy each.
    model.step(300, pfns: (100_000..<100_100).map { PFN($0) }, using: &random)
    let stored = model.pages.keys.filter { $0 < 800 && model.pages[$0]?.status.state == .data }
    for pfn in stored.sorted().enumerated().filter({ $0.offset % 8 == 3 }).map(\.element).prefix(4)
    {
      model.set(pfn, ModelMoment.Page(status: PageStatus(.data), seed: 1000 + pfn))
    }
    try bench.capture(ModelSource(model, using: &random), as: "tip.ckpt", parent: "base.ckpt")
    // Contents that cannot be expanded any more, under a right checksum: a merge that expanded one of
    // these regions would fail.
    for name in ["base.ckpt", "tip.ckpt"] {
      try bench.alter(name) { image in
        for segment in image.segments where segment.kind == .region {
          image.flip(segment, at: segment.bodyLength - 1)
        }
      }
    }
    let result = try bench.merge("tip.ckpt", as: "merged.ckpt")
    #expect(result.regions.repacked == 0)
    #expect(result.regions.copied > 40)
    #expect(result.image.root.deadCopies == 4)
    #expect(try !bench.findings("merged.ckpt").isEmpty)
  }
}
