import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Glibc
import Storage
import TestSupport
import Testing

/// A moment that goes from increment to increment is that of the chain opened anew.
@Suite struct ParentStateTests {
  private let bench: ChainBench
  private let pfns = [PFN(0), 500, 1 << 30, Limits.pfnEnd - 300].flatMap { start in
    (0..<60).map { start + PFN($0 * 5) }
  }

  init() throws { bench = try ChainBench() }

  /// Captures a model as an increment of the moment, and takes the moment there.
  private func advance(
    _ moment: ParentState, to model: ModelMoment, as name: String, complete: Bool = true,
    using random: inout SplitMix64
  ) throws {
    let output = try OutputFile(bench.path(name), force: false, sync: false)
    let header = ImageHeader(
      architecture: .x86, captureID: random.bytes(16), parent: moment.checkpointID,
      parentName: ImageName.last(moment.tip.name))
    let writer = try ImageWriter(header, parent: moment, to: output)
    try Pipeline(ModelSource(model, using: &random), on: bench.pool)
      .digestPages()
      .dropUnchanged(moment)
      .packRegions()
      .compress(.init(), proving: false)
      .run(into: writer)
    _ = try writer.seal([Provenance()], complete: complete)
    try output.commit()
    try moment.advance(by: ImageFile(bench.path(name)))
  }

  private func expectSame(_ moment: ParentState, _ tip: String) throws {
    let chain = try Chain.open(bench.path(tip))
    #expect(moment.checkpointID == chain.checkpointID)
    #expect(try moment.records() == chain.records())
    #expect(moment.memoryTree.root == chain.memoryTree.root)
    #expect(moment.memoryTree.elementsEqual(chain.memoryTree) { $0 == $1 })
    for block in Set(pfns.map { BlockNumber(containing: $0) }).union([BlockNumber(77)]) {
      let found = try moment.pages(ofBlock: block)
      let expected = try chain.pages(ofBlock: block)
      #expect(found?.count == expected?.count)
      for (a, b) in zip(found ?? [], expected ?? []) { #expect(a.sameMemory(as: b)) }
    }
  }

  @Test func followsRandomIncrements() throws {
    var random = SplitMix64.forTest("running moment")
    var model = ModelMoment()
    model.step(300, pfns: pfns, using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "0.ckpt")
    model.step(60, pfns: pfns, using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "1.ckpt", parent: "0.ckpt")
    let moment = ParentState(try Chain.open(bench.path("1.ckpt")))
    try expectSame(moment, "1.ckpt")
    for number in 2..<30 {
      let changes = Int.random(in: 0...120, using: &random)
      model.step(changes, pfns: pfns, using: &random)
      try advance(moment, to: model, as: "\(number).ckpt", using: &random)
      try expectSame(moment, "\(number).ckpt")
    }
    try bench.expect("29.ckpt", equals: model, "the last increment")
    #expect(try bench.findings("29.ckpt") == [])
  }

  /// The time for an increment must not grow with the chain: what was read once is not read again.
  @Test func readsNothingTwice() throws {
    var random = SplitMix64.forTest("running moment reads")
    var model = ModelMoment()
    model.step(300, pfns: pfns, using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "0.ckpt")
    let moment = ParentState(try Chain.open(bench.path("0.ckpt")))
    _ = try moment.records()
    for block in Set(pfns.map { BlockNumber(containing: $0) }) {
      _ = try moment.pages(ofBlock: block)
    }
    for number in 1..<10 {
      let before = try bench.folder.bytes("\(number - 1).ckpt")
      #expect(unsafe truncate(bench.path("\(number - 1).ckpt"), 0) == 0)
      model.step(50, pfns: pfns, using: &random)
      try advance(moment, to: model, as: "\(number).ckpt", using: &random)
      try bench.folder.write(before, as: "\(number - 1).ckpt")
    }
    try bench.expect("9.ckpt", equals: model, "the last increment")
    #expect(try bench.findings("9.ckpt") == [])
  }

  @Test func refusesWhatIsNotItsIncrement() throws {
    var random = SplitMix64.forTest("running moment refusals")
    var model = ModelMoment()
    model.step(100, pfns: pfns, using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "0.ckpt")
    let moment = ParentState(try Chain.open(bench.path("0.ckpt")))
    model.step(50, pfns: pfns, using: &random)
    try advance(moment, to: model, as: "1.ckpt", using: &random)
    for name in ["0.ckpt", "1.ckpt"] {
      let error = #expect(throws: CheckpointError.self) {
        try moment.advance(by: ImageFile(bench.path(name)))
      }
      #expect(error?.kind == .mismatch)
      let output = try OutputFile(bench.path(name), force: true, sync: false)
      let refusal = #expect(throws: CheckpointError.self) { try moment.checkStays(output) }
      #expect(refusal?.kind == .refused)
    }
    try expectSame(moment, "1.ckpt")
    let output = try OutputFile(bench.path("2.ckpt"), force: false, sync: false)
    try moment.checkStays(output)
  }
}
