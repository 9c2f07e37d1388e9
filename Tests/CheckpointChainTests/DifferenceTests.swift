import CheckpointChain
@testable import CheckpointCodec
import CheckpointImage
import Formats
import Storage
import TestSupport
import Testing

/// What is said to differ is what differs, and little is read to find it.
@Suite struct DifferenceTests {
  private let bench: ChainBench

  init() throws { bench = try ChainBench() }

  private func pair(_ before: String, _ after: String) throws -> ChainPair {
    try ChainPair.open(bench.path(before), bench.path(after))
  }

  /// Any two moments of a chain that branches, against two dictionaries.
  @Test func randomMoments() throws {
    var random = SplitMix64.forTest("randomMoments")
    let pfns: [PFN] = [0, 500, 1 << 30, Limits.pfnEnd - 200].flatMap { start in
      (0..<150).map { start + PFN($0) }
    }
    var models = [ModelMoment()]
    models[0].step(500, pfns: pfns, using: &random)
    try bench.capture(ModelSource(models[0], using: &random), as: "0.ckpt")
    for index in 1..<8 {
      let parent = Int.random(in: max(0, index - 3)..<index, using: &random)
      var model = models[parent]
      model.step(Int.random(in: 0...60, using: &random), pfns: pfns, using: &random)
      try bench.capture(
        ModelSource(model, using: &random), as: "\(index).ckpt", parent: "\(parent).ckpt")
      models.append(model)
    }
    try bench.merge("5.ckpt", as: "8.ckpt")
    models.append(models[5])
    for before in models.indices {
      for after in models.indices {
        let range: Range<PFN> = Bool.random(using: &random) ? 0..<Limits.pfnEnd : 20..<580
        try check("\(before).ckpt", models[before], "\(after).ckpt", models[after], range)
      }
    }
  }

  private func check(
    _ before: String, _ old: ModelMoment, _ after: String, _ new: ModelMoment, _ range: Range<PFN>
  ) throws {
    let pair = try pair(before, after)
    let contents = PageContents(pair)
    let gone = ModelMoment.Page(status: PageStatus(.unpopulated))
    var wanted = Set(old.pages.keys).union(new.pages.keys).filter {
      range.contains($0) && old.pages[$0] ?? gone != new.pages[$0] ?? gone
    }
    let count = UInt64(wanted.count)
    var last: Difference.Run?
    let difference = try Difference(pair, within: range) { (run) throws(CheckpointError) in
      if let last {
        #expect(last.pages.upperBound <= run.pages.lowerBound, "\(before) \(after)")
        #expect(
          last.pages.upperBound < run.pages.lowerBound || last.change != run.change,
          "two runs that are one")
      }
      last = run
      for pfn in run.pages {
        let (a, b) = (old.pages[pfn] ?? gone, new.pages[pfn] ?? gone)
        #expect(wanted.remove(pfn) != nil, "\(before) \(after): \(pfn)")
        #expect(run.change.before == a.status && run.change.after == b.status)
        #expect(run.change.contentsDiffer == (Self.bytes(a) != Self.bytes(b) && Self.known(a, b)))
      }
      guard run.change.contentsDiffer else { return }
      try contents.read(run.pages) { (pfn, x, y) throws(CheckpointError) in
        let a = Self.bytes(old.pages[pfn] ?? gone)
        let b = Self.bytes(new.pages[pfn] ?? gone)
        #expect(unsafe x.withUnsafeBytes { unsafe Array($0) } == a)
        #expect(unsafe y.withUnsafeBytes { unsafe Array($0) } == b)
        #expect(ChangedBytes.count(x, y) == zip(a, b).count { $0 != $1 })
      }
    }
    #expect(wanted.isEmpty, "\(before) \(after): not found: \(wanted.sorted())")
    #expect(difference.pages == count)
  }

  private static func known(_ a: ModelMoment.Page, _ b: ModelMoment.Page) -> Bool {
    a.status.state.hasContents && b.status.state.hasContents
  }

  private static func bytes(_ page: ModelMoment.Page) -> [UInt8] {
    page.status.state == .data
      ? ModelMoment.contents(page.seed) : [UInt8](repeating: 0, count: Limits.pageSize)
  }

  /// Ten pages of a large guest cost the index blocks that hold them, whatever the guest's size.
  @Test(arguments: [16_384, 65_536]) func tenPages(_ pages: Int) throws {
    let changed = Set((0..<10).map { PFN($0 * pages / 10) })
    try bench.capture(PlainSource(pages: pages, changed: []), as: "0.ckpt")
    try bench.capture(PlainSource(pages: pages, changed: changed), as: "1.ckpt", parent: "0.ckpt")
    let pair = try pair("0.ckpt", "1.ckpt")
    #expect(pair.images.count == 2, "the base is opened once")
    // The first and the last bytes of each image, or the whole root where that is longer.
    let edges = pair.images.reduce(0) {
      $0 + 4096 + max(1 << 14, $1.storage.length / 16, $1.trailer.rootLength + 4096)
    }
    #expect(pair.bytesRead <= edges)

    let opened = pair.bytesRead
    let difference = try Difference(pair) { _ in }
    #expect(difference.pages == 10 && difference.blocks == 10)
    let read = pair.bytesRead - opened
    let frame = UInt64(SegmentFrame.byteCount + 8)
    // The block's entry in the root.
    let entry: UInt64 = 88
    let base = try pair.before.tip.blocks().filter {
      changed.map { BlockNumber(containing: $0) }.contains($0.number)
    }
    let blocks = try base + pair.after.tip.blocks()
    #expect(blocks.count == 20)
    #expect(read <= blocks.reduce(0) { $0 + UInt64($1.bodyLength) + frame + entry })
    #expect(read < 250_000, "the same for every size")
  }

  /// Two tips on a long chain: what both stand on is opened once, and read once.
  @Test func branches() throws {
    var random = SplitMix64(seed: 3)
    var model = ModelMoment()
    model.step(600, pfns: Array(0..<1500), using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "0.ckpt")
    for index in 1..<10 {
      model.step(20, pfns: Array(0..<1500), using: &random)
      try bench.capture(
        ModelSource(model, using: &random), as: "\(index).ckpt", parent: "\(index - 1).ckpt")
    }
    model.step(5, pfns: Array(600..<700), using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "side.ckpt", parent: "4.ckpt")
    let pair = try pair("side.ckpt", "9.ckpt")
    #expect(pair.images.count == 11)
    #expect(Set(pair.images.map(\.name)).count == 11)
    let opened = pair.bytesRead
    let alone = try Chain(pair.after.images)
    _ = try Difference(pair) { _ in }
    let both = pair.bytesRead - opened
    for (block, _) in alone.memoryTree { _ = try alone.block(block) }
    // A whole walk through one of them reads as much as comparing both, but for the other's own block.
    #expect(both <= pair.bytesRead - opened - both + 30_000)
  }
}

/// Pages that hold their own number.
private final class PlainSource: DescribedSource {
  let name = "plain"
  let facts = SourceFacts(kind: "plain", architecture: .x86, ascendingUnique: true, fields: [])
  let layoutKind: LayoutKind? = LayoutKind.none
  let fractionDone: Double? = nil
  private let pages: Int
  private let changed: Set<PFN>
  private var sent = 0

  init(pages: Int, changed: Set<PFN>) {
    self.pages = pages
    self.changed = changed
  }

  func next() throws(CheckpointError) -> SourceEvent? {
    guard sent < pages else { return nil }
    var batch = PageBatch(buffer: PageBuffer(), pages: [])
    for slot in 0..<PageBuffer.capacity {
      let pfn = PFN(sent + slot)
      batch.buffer.clear(slot)
      let bytes = unsafe batch.buffer.mutableBytes(slot..<slot + 1)
      unsafe bytes.storeBytes(of: pfn + 1, as: UInt64.self)
      if changed.contains(pfn) { unsafe bytes.storeBytes(of: 1, toByteOffset: 99, as: UInt8.self) }
      batch.pages.append(PageBatch.Page(pfn: pfn))
    }
    sent += PageBuffer.capacity
    return .pages(batch)
  }
}
