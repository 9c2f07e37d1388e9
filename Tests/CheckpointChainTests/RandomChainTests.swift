import CheckpointChain
import CheckpointCodec
import CheckpointImage
import TestSupport
import Testing

/// Chains of random images against a flat model: what is read back is what was captured, from any
/// mixture of captured and merged images.
@Suite struct RandomChainTests {
  /// PFNs in few blocks, far apart, with holes.
  private static func pfns(using random: inout SplitMix64) -> [PFN] {
    let starts: [PFN] = [0, 500, 1 << 20, 1 << 30, Limits.pfnEnd - 300]
    return starts.flatMap { start in (0..<60).map { start + PFN($0 * 5) } }
      .shuffled(using: &random).dropLast(50).sorted()
  }

  @Test func randomChains() throws {
    var random = SplitMix64.forTest("randomChains")
    for round in 0..<6 {
      let length = round == 0 ? 50 : Int.random(in: 2...12, using: &random)
      try check(length: length, using: &random)
    }
  }

  private func check(length: Int, using random: inout SplitMix64) throws {
    let bench = try ChainBench()
    let pfns = Self.pfns(using: &random)
    var model = ModelMoment()
    var models: [ModelMoment] = []
    for index in 0..<length {
      model.step(
        index == 0 ? 400 : Int.random(in: 0...80, using: &random), pfns: pfns, using: &random)
      let stale = Bool.random(using: &random) ? 60 : 0
      try bench.capture(
        ModelSource(
          model, staleCopies: stale, resending: Int.random(in: 0..<3, using: &random) * 5,
          using: &random), as: "\(index).ckpt",
        parent: index == 0 ? nil : "\(index - 1).ckpt")
      models.append(model)
    }
    for index in Set([0, length / 2, length - 1]) {
      try bench.expect("\(index).ckpt", equals: models[index], "image \(index)")
      #expect(try bench.findings("\(index).ckpt") == [])
    }
    try checkMerges(bench, models, using: &random)
  }

  private func checkMerges(
    _ bench: ChainBench, _ models: [ModelMoment], using random: inout SplitMix64
  ) throws {
    let last = models.count - 1
    let tip = try ImageFile(bench.path("\(last).ckpt")).root
    let base = try bench.merge("\(last).ckpt", as: "base.ckpt").image.root
    #expect(base.checkpointID == tip.checkpointID)
    #expect(base.memory == tip.memory)
    try bench.expect("base.ckpt", equals: models[last], "merged base")
    #expect(try bench.findings("base.ckpt") == [])
    let recoded = try bench.merge(
      "\(last).ckpt", as: "zlib.ckpt", settings: CodecSettings(codec: .zlib)
    )
    #expect(recoded.image.root.checkpointID == tip.checkpointID)
    #expect(recoded.regions.copied == 0)
    // A span in the middle becomes one increment; then the older images, another base.
    guard last >= 2 else { return }
    let low = Int.random(in: 0..<last - 1, using: &random)
    let high = Int.random(in: low + 1..<last, using: &random)
    let span = try bench.merge("\(high).ckpt", as: "span.ckpt", onto: "\(low).ckpt")
    #expect(span.images == high - low)
    for index in low + 1...high { bench.folder.remove("\(index).ckpt") }
    bench.folder.remove("base.ckpt")
    bench.folder.remove("zlib.ckpt")
    try bench.expect("\(last).ckpt", equals: models[last], "tip over a merged span")
    try bench.merge("\(low).ckpt", as: "low.ckpt")
    for index in 0...low { bench.folder.remove("\(index).ckpt") }
    try bench.expect("span.ckpt", equals: models[high], "span over a merged base")
    try bench.expect("\(last).ckpt", equals: models[last], "tip over merged images")
    #expect(try bench.findings("\(last).ckpt") == [])
  }
}
