import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Operations
import TestSupport
import Testing

/// Chains of images of which pages are left out, captured and merged at random, against a flat model.
@Suite struct EvictionTests {
  private let bench: ChainBench

  init() throws { bench = try ChainBench() }

  /// PFNs in few blocks, far apart, with holes.
  private let pfns: [PFN] = [0, 500, 1 << 20, Limits.pfnEnd - 300].flatMap { start in
    (0..<60).map { start + PFN($0 * 5) }
  }

  @Test func randomChains() throws {
    var random = SplitMix64.forTest("chains with evictions")
    for round in 0..<6 {
      let models = try capture(Int.random(in: 2...9, using: &random), round, using: &random)
      try merge(models, round, using: &random)
    }
  }

  /// Captures a chain; what is left out is another thing each time.
  private func capture(_ length: Int, _ round: Int, using random: inout SplitMix64) throws
    -> [ModelMoment]
  {
    var model = ModelMoment()
    var models: [ModelMoment] = []
    for index in 0..<length {
      model.step(
        index == 0 ? 400 : Int.random(in: 0...60, using: &random), pfns: pfns, using: &random)
      // A page that was left out and now is not must be stored, although the guest did not touch it.
      let plan =
        Bool.random(using: &random) ? ModelMoment.plan(pfns, using: &random) : EvictionPlan()
      let name = "\(round)-\(index).ckpt"
      let parent = index == 0 ? nil : "\(round)-\(index - 1).ckpt"
      let source = ModelSource(
        model, staleCopies: Bool.random(using: &random) ? 60 : 0,
        resending: Int.random(in: 0..<3, using: &random) * 5, using: &random)
      if Bool.random(using: &random) {
        try bench.capture(source, as: name, parent: parent, evicting: plan)
      } else {
        // By way of a temporary image, as a stream has to be.
        let settings = parent == nil ? CodecSettings(regionPages: 8) : nil
        let spooled = try SpooledMoment(source, settings, on: bench.pool)
        try bench.capture(.spooled(spooled, evicting: plan), as: name, parent: parent)
      }
      models.append(model.evicting(plan))
      try bench.expect(name, equals: models[index], "image \(index) of \(length)")
      #expect(try bench.findings(name) == [])
    }
    return models
  }

  private func merge(_ models: [ModelMoment], _ round: Int, using random: inout SplitMix64) throws {
    let last = models.count - 1
    let tip = "\(round)-\(last).ckpt"
    let before = try models.indices.map { try bench.folder.bytes("\(round)-\($0).ckpt") }
    let plan = ModelMoment.plan(pfns, using: &random)
    let expected = models[last].evicting(plan)
    for codec: CodecSettings? in [nil, CodecSettings(codec: .zlib)] {
      let name = "\(round)-merged-\(codec == nil).ckpt"
      let result = try bench.merge(tip, as: name, settings: codec, evicting: plan)
      try bench.expect(name, equals: expected, "merged")
      #expect(try bench.findings(name) == [])
      #expect(
        try ImageFile(bench.path(name)).header.captureID
          == ImageFile(bench.path(tip)).header.captureID)
      // The same memory captured as it now is.
      let fresh = try bench.capture(
        ModelSource(expected, using: &random), as: "\(round)-fresh-\(codec == nil).ckpt")
      #expect(fresh.root.memory == result.image.root.memory)
      let isSame = models[last].pages == expected.pages
      #expect(
        (result.image.checkpointID == (try ImageFile(bench.path(tip)).root.checkpointID)) == isSame)
      // It may have children, and what is left out there may be there again in them.
      try bench.capture(
        ModelSource(models[0], using: &random), as: "child.ckpt", parent: name)
      try bench.expect("child.ckpt", equals: models[0], "a child of the merged image")
      #expect(try bench.findings("child.ckpt") == [])
      bench.folder.remove("child.ckpt")
    }
    let low = Int.random(in: 0..<last, using: &random)
    let span = "\(round)-span.ckpt"
    try bench.merge(tip, as: span, onto: "\(round)-\(low).ckpt", evicting: plan)
    for index in models.indices where index > low { bench.folder.remove("\(round)-\(index).ckpt") }
    try bench.expect(span, equals: expected, "an increment on \(low)")
    #expect(try bench.findings(span) == [])
    for index in 0...low {
      let isUnchanged = try bench.folder.bytes("\(round)-\(index).ckpt") == before[index]
      #expect(isUnchanged)
    }
  }

  /// Regions that held what was left out are made anew, however much else they hold: it is in the result nowhere.
  @Test func whatIsLeftOutIsGone() throws {
    var random = SplitMix64.forTest("left out")
    var model = ModelMoment()
    let noise = CodecSettings(codec: .none, regionPages: 8)
    for pfn in 0..<64 as Range<PFN> {
      model.set(pfn, ModelMoment.Page(status: PageStatus(.data), seed: pfn + 1))
    }
    try bench.capture(ModelSource(model, using: &random), as: "whole.ckpt", settings: noise)
    var plan = EvictionPlan()
    // Of the first region an eighth, of the second half; the third is left alone.
    for pfn: PFN in [3, 8, 9, 10, 11] { plan.evict(pfn..<pfn + 1, .user) }
    let result = try bench.merge("whole.ckpt", as: "part.ckpt", evicting: plan)
    #expect(result.regions.copied == 6)
    #expect(result.regions.repacked == 2)
    #expect(result.image.root.deadCopies == 0)
    try bench.expect("part.ckpt", equals: model.evicting(plan), "merged")
    // Uncompressed, the contents can be looked for.
    let recoded = try bench.merge("whole.ckpt", as: "new.ckpt", settings: noise, evicting: plan)
    #expect(recoded.image.root.deadCopies == 0)
    let bytes = try bench.folder.bytes("new.ckpt")
    for pfn in 0..<64 as Range<PFN> {
      let isThere = bytes.firstRange(of: ModelMoment.contents(pfn + 1)) != nil
      #expect(isThere == (plan[pfn] == .none), "PFN \(pfn)")
    }
  }
}
