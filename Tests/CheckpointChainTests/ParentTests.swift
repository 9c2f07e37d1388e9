import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Storage
import TestSupport
import Testing

/// Chains that do not hold together are refused, and say why.
@Suite struct ParentTests {
  private func chain(_ bench: ChainBench) throws -> [ModelMoment] {
    var random = SplitMix64.forTest("parents")
    var model = ModelMoment()
    var models: [ModelMoment] = []
    for index in 0...2 {
      model.step(200, pfns: (0..<300).map { PFN($0) }, using: &random)
      try bench.capture(
        ModelSource(model, using: &random), as: "\(index).ckpt",
        parent: index == 0 ? nil : "\(index - 1).ckpt")
      models.append(model)
    }
    return models
  }

  @Test func missingParentIsNamed() throws {
    let bench = try ChainBench()
    _ = try chain(bench)
    bench.folder.remove("1.ckpt")
    let error = #expect(throws: CheckpointError.self) {
      try Chain.open(bench.path("2.ckpt"))
    }
    #expect(error?.kind == .missingParent)
    #expect(error?.reason.contains("1.ckpt") == true)
    // The tip alone is sound, but the check is not complete.
    let check = Verification(.full, on: bench.pool)
    try check.run(
      LocalFile(bench.path("2.ckpt")), finding: Folders(of: bench.path("2.ckpt"), searching: []))
    #expect(check.findings == [])
    #expect(check.obstacle?.kind == .missingParent)
  }

  /// Two files carry a moment, and one of them has lost its own parent.
  @Test func deadEndsAreLeft() throws {
    let bench = try ChainBench()
    var random = SplitMix64.forTest("dead ends")
    var model = ModelMoment()
    for number in 0...4 {
      model.step(40, pfns: Array(0..<300), using: &random)
      try bench.capture(
        ModelSource(model, using: &random), as: "\(number).ckpt",
        parent: number == 0 ? nil : "\(number - 1).ckpt")
    }
    try bench.merge("3.ckpt", as: "span.ckpt", onto: "0.ckpt")
    bench.folder.remove("1.ckpt")
    bench.folder.remove("2.ckpt")
    try bench.expect("4.ckpt", equals: model, "3.ckpt is there, but its parent is gone")
  }

  @Test func anotherGuestIsRefused() throws {
    let bench = try ChainBench()
    var random = SplitMix64.forTest("guests")
    var model = ModelMoment()
    model.step(50, pfns: [1, 2, 3], using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "base.ckpt")
    let error = #expect(throws: CheckpointError.self) {
      try bench.capture(
        ModelSource(model, policy: "other", using: &random), as: "other.ckpt", parent: "base.ckpt")
    }
    #expect(error?.kind == .mismatch)
    #expect(!bench.folder.names.contains { $0.contains("other") })
  }

  @Test func movedImagesAreFoundByTheirID() throws {
    let bench = try ChainBench()
    let models = try chain(bench)
    let swap = [("0.ckpt", "x"), ("1.ckpt", "0.ckpt"), ("x", "1.ckpt")]
    for (from, to) in swap { bench.folder.rename(from, to) }
    try bench.expect("2.ckpt", equals: models[2], "tip over swapped names")
  }
}
