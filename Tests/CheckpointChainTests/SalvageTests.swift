import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Formats
import Operations
import Storage
import TestSupport
import Testing

/// What is rescued of damaged images, against the model they were captured from: everything that may be
/// trusted, nothing else, and no page with older contents.
@Suite(.serialized) struct SalvageTests {
  private let bench: ChainBench
  private static let pfns: [PFN] = (0..<90).map { $0 * 3 } + (2000..<2060) + [1 << 30, 1 << 40]

  init() throws { bench = try ChainBench() }

  private func salvage(_ name: String, as output: String = "out.ckpt") throws -> Salvage.Result {
    let file = try OutputFile(bench.path(output), force: true, sync: false)
    let result = try Salvage.run(
      LocalFile(bench.path(name)), finding: Folders(of: bench.path(name), searching: []),
      provenance: Provenance(), to: file, on: bench.pool)
    try file.commit()
    return result
  }

  /// Salvages an image and compares all its pages with the model: each is as it was, or unreadable and
  /// reported, or reported as possibly missing. Returns the pages that are as they were.
  @discardableResult
  private func check(_ bytes: [UInt8], _ model: ModelMoment, _ what: Comment) throws -> Set<PFN> {
    try bench.folder.write(bytes, as: "damaged.ckpt")
    let result = try salvage("damaged.ckpt")
    #expect(try bench.findings("out.ckpt") == [], what)
    let chain = try Chain.open(bench.path("out.ckpt"))
    let reader = PageReader(chain)
    var wanted = Set(model.pages.keys)
    for (block, _) in chain.memoryTree { wanted.formUnion(block.pages) }
    let lost = Set(result.lost.flatMap { $0 })
    var rescued: Set<PFN> = []
    for pfn in wanted {
      let page = model.pages[pfn] ?? ModelMoment.Page(status: PageStatus(.unpopulated))
      let entry = try chain.entry(pfn)
      if lost.contains(pfn) {
        #expect(entry.status.state == .unreadable, "\(what): PFN \(pfn) is listed as lost")
        continue
      }
      guard entry.status == page.status else {
        // Nothing names it any more.
        let isReported =
          entry.status.state == .unpopulated && result.unknown.contains { $0.contains(pfn) }
        if !isReported {
          Issue.record("\(what): PFN \(pfn): found \(entry.status), expected \(page.status)")
        }
        continue
      }
      rescued.insert(pfn)
      guard page.status.state == .data else { continue }
      let batch = try reader.read([pfn..<pfn + 1])
      let found = unsafe batch.buffer.page(0).withUnsafeBytes { unsafe Array($0) }
      if found != ModelMoment.contents(page.seed) {
        Issue.record("\(what): PFN \(pfn): contents differ")
      }
    }
    // What may be missing need not be; what is missing is never called complete.
    #expect(!result.isComplete || rescued == wanted, what)
    #expect(
      result.isComplete || rescued != wanted || !result.unknown.isEmpty
        || !result.recordsAreComplete || !result.historyIsComplete, what)
    return rescued
  }

  /// The segments of an image and, for each region, the pages that its index takes from there.
  private func anatomy(_ name: String) throws -> (
    image: ResealedImage, pages: [Int: Set<PFN>]
  ) {
    let file = try ImageFile(bench.path(name))
    var pages: [Int: Set<PFN>] = [:]
    for entry in try file.blocks() {
      let block = try file.indexBlock(entry)
      for (slot, page) in zip(block.occupancy.members, block.entries) {
        let pfn = entry.number.pfn(slot)
        if page.status.state == .data { pages[Int(page.location.offset), default: []].insert(pfn) }
      }
    }
    return (try ResealedImage(bench.folder.bytes(name)), pages)
  }

  private func model(_ random: inout SplitMix64, steps: Int = 300) -> ModelMoment {
    var model = ModelMoment()
    model.step(steps, pfns: Self.pfns, using: &random)
    return model
  }

  private enum Kind: CaseIterable {
    case unique, live, increment
  }

  /// An image of each kind, its model, and what the image itself has a word on.
  private func make(_ kind: Kind, _ random: inout SplitMix64) throws -> ModelMoment {
    var model = model(&random)
    for name in bench.folder.names { bench.folder.remove(name) }
    switch kind {
    case .unique:
      try bench.capture(
        ModelSource(model, ascendingUnique: true, using: &random), as: "image.ckpt")
    case .live:
      try bench.capture(ModelSource(model, resending: 40, using: &random), as: "image.ckpt")
    case .increment:
      try bench.capture(ModelSource(model, using: &random), as: "base.ckpt")
      model.step(80, pfns: Self.pfns, using: &random)
      try bench.capture(
        ModelSource(model, staleCopies: 10, using: &random), as: "image.ckpt", parent: "base.ckpt")
    }
    return model
  }

  @Test func nothingIsLostOfASoundImage() throws {
    var random = SplitMix64.forTest("sound")
    for kind in Kind.allCases {
      let model = try make(kind, &random)
      let sound = try bench.folder.bytes("image.ckpt")
      try check(sound, model, "\(kind)")
      let result = try salvage("image.ckpt")
      #expect(result.isComplete && result.findings == [] && result.unindexed == 0)
      #expect(
        try ImageFile(bench.path("image.ckpt")).root.checkpointID == result.image.checkpointID)
      // Without the trailer, and without the index.
      let image = try ResealedImage(sound)
      for kind in [SegmentKind.trailer, .root, .index] {
        let cut = try #require(image.segments.first { $0.kind == kind }).offset
        try check(Array(sound[..<cut]), model, "without \(kind)")
        let result = try salvage("damaged.ckpt")
        #expect(result.isComplete)
        #expect(
          try ImageFile(bench.path("image.ckpt")).root.checkpointID == result.image.checkpointID)
      }
    }
  }

  /// With a sound index exactly the pages of a damaged region are lost, whatever else the file is like.
  @Test func aDamagedRegionLosesItsOwnPages() throws {
    var random = SplitMix64.forTest("regions")
    for kind in Kind.allCases {
      let model = try make(kind, &random)
      let (image, pages) = try anatomy("image.ckpt")
      let all = try check(image.bytes, model, "\(kind)")
      for segment in image.segments where segment.kind == .region {
        for place in [segment.offset + 4, segment.offset + 60] {
          var bytes = image.bytes
          bytes[place] ^= 1
          let rescued = try check(bytes, model, "\(kind), region at \(segment.offset)")
          #expect(rescued == all.subtracting(pages[segment.offset] ?? []))
        }
      }
    }
  }

  /// One index block, the root or the trailer damaged: the other segments say the same.
  @Test func aDamagedIndexLosesNothing() throws {
    var random = SplitMix64.forTest("index")
    for kind in Kind.allCases {
      let model = try make(kind, &random)
      let image = try ResealedImage(bench.folder.bytes("image.ckpt"))
      let all = try check(image.bytes, model, "\(kind)")
      for segment in image.segments where [.index, .root, .trailer].contains(segment.kind) {
        for place in [segment.offset + 4, segment.offset + 60] {
          var bytes = image.bytes
          bytes[place] ^= 1
          let rescued = try check(bytes, model, "\(kind), \(segment.kind as Any)")
          #expect(rescued == all)
        }
      }
    }
  }

  /// A region damaged and the index gone: with ascending-unique only that region's pages are lost; else also
  /// every page whose last copy comes before.
  @Test func aDamagedRegionWithoutIndex() throws {
    var random = SplitMix64.forTest("noIndex")
    for kind in Kind.allCases {
      let model = try make(kind, &random)
      let (image, pages) = try anatomy("image.ckpt")
      let cut = try #require(image.segments.first { $0.kind == .index }).offset
      for segment in image.segments where segment.kind == .region {
        for place in [segment.offset + 4, segment.offset + 60] {
          var bytes = Array(image.bytes[..<cut])
          bytes[place] ^= 1
          let rescued = try check(bytes, model, "\(kind), region at \(segment.offset)")
          for (offset, pfns) in pages {
            let isTrusted =
              offset != segment.offset && (kind == .unique || offset > segment.offset)
            for pfn in pfns {
              #expect(
                rescued.contains(pfn) == isTrusted, "\(kind): PFN \(pfn) at \(offset)")
            }
          }
        }
      }
    }
  }

  /// Cut at every segment and at random bytes.
  @Test func truncation() throws {
    var random = SplitMix64.forTest("truncation")
    for kind in Kind.allCases {
      let model = try make(kind, &random)
      let (image, pages) = try anatomy("image.ckpt")
      let end = try #require(image.segments.first { $0.kind == .provenance }).offset
      let header = image.segments[1].offset
      let cuts =
        image.segments.dropFirst().map(\.offset)
        + (0..<60).map { _ in Int.random(in: header..<image.bytes.count, using: &random) }
      for cut in cuts {
        let rescued = try check(Array(image.bytes[..<cut]), model, "\(kind) cut at \(cut)")
        for (index, segment) in image.segments.enumerated() where segment.kind == .region {
          let isWhole = image.segments[index + 1].offset <= cut
          // The end of the pages is known once the provenance is begun.
          let isTrusted = isWhole && (kind == .unique || cut >= end + SegmentFrame.byteCount)
          for pfn in pages[segment.offset] ?? [] {
            #expect(
              rescued.contains(pfn) == isTrusted,
              "\(kind) cut at \(cut): PFN \(pfn) in the region at \(segment.offset)")
          }
        }
      }
    }
  }

  /// Several places at once, whole sectors zeroed, and parts taken out: never anything wrong.
  @Test func randomDamage() throws {
    var random = SplitMix64.forTest("damage")
    for _ in 0..<6 {
      for kind in Kind.allCases {
        let model = try make(kind, &random)
        let image = try ResealedImage(bench.folder.bytes("image.ckpt"))
        let header = image.segments[1].offset
        for _ in 0..<12 {
          var bytes = image.bytes
          for _ in 0..<Int.random(in: 1...3, using: &random) {
            let start = Int.random(in: header..<bytes.count, using: &random)
            let end = min(bytes.count, start + Int.random(in: 1...6000, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1:
              bytes.replaceSubrange(start..<end, with: [UInt8](repeating: 0, count: end - start))
            case 2: bytes.removeSubrange(start..<end)
            default: bytes.replaceSubrange(start..<end, with: random.bytes(end - start))
            }
            if bytes.count <= header { break }
          }
          try check(bytes, model, "\(kind)")
        }
      }
    }
  }

  /// Bytes like segments in the guest's own memory are not taken for segments of the file.
  @Test func plantedSegments() throws {
    var random = SplitMix64.forTest("planted")
    // An image whose first region holds, uncompressed, another image of the same guest.
    var older = ModelMoment()
    for pfn in PFN(0)..<4 {
      older.set(pfn, ModelMoment.Page(status: PageStatus(.data), seed: 100 + pfn))
    }
    try bench.capture(
      ModelSource(older, ascendingUnique: true, using: &random), as: "older.ckpt",
      settings: CodecSettings(regionPages: 1))
    let planted = try bench.folder.bytes("older.ckpt")
    var memory = planted + [UInt8](repeating: 1, count: 4096 - planted.count % 4096)
    for seed in 0..<60 { memory += ModelMoment.contents(UInt64(200 + seed)) }
    try bench.folder.write(memory, as: "memory.raw")
    let output = try OutputFile(bench.path("image.ckpt"), force: false, sync: false)
    _ = try Capture(
      settings: CodecSettings(codec: .none, regionPages: 8), parent: nil, provenance: Provenance()
    ).run(
      .source(RawSource(InputStream(bench.path("memory.raw")))), to: output, on: bench.pool)
    try output.commit()
    let image = try ResealedImage(bench.folder.bytes("image.ckpt"))
    let regions = image.segments.filter { $0.kind == .region }
    let cut = try #require(image.segments.first { $0.kind == .index }).offset
    var bytes = Array(image.bytes[..<cut])
    // The first region's frame is gone; in its contents the planted segments are sound.
    bytes[regions[0].offset] ^= 1
    try bench.folder.write(bytes, as: "damaged.ckpt")
    let result = try salvage("damaged.ckpt")
    #expect(try bench.findings("out.ckpt") == [])
    let chain = try Chain.open(bench.path("out.ckpt"))
    for pfn in PFN(0)..<8 {
      let state = try chain.pages(ofBlock: BlockNumber(0))?[Int(pfn)].status.state
      #expect(state == .unreadable, "PFN \(pfn)")
    }
    #expect(result.unindexed == UInt64(memory.count / 4096 - 8))
  }

  @Test func withoutItsParent() throws {
    var random = SplitMix64.forTest("parent")
    _ = try make(.increment, &random)
    bench.folder.remove("base.ckpt")
    do {
      _ = try salvage("image.ckpt")
      Issue.record("salvaged without a parent")
    } catch let error as CheckpointError {
      #expect(error.kind == .missingParent)
    }
    #expect(bench.folder.names == ["image.ckpt"])
  }

  /// A few bytes that name 2^52 pages.
  @Test func endlessExtents() throws {
    var random = SplitMix64.forTest("extents")
    var model = ModelMoment()
    model.set(5, ModelMoment.Page(status: PageStatus(.zero)))
    model.set(9, ModelMoment.Page(status: PageStatus(.data), seed: 3))
    try bench.capture(ModelSource(model, using: &random), as: "image.ckpt")
    var image = try ResealedImage(bench.folder.bytes("image.ckpt"))
    let states = try #require(image.segments.first { $0.kind == .states })
    // Count becomes 2^51 + 1.
    image.flip(states, at: 8 + 6, bit: 3)
    image.resealChecksums()
    let cut = try #require(image.segments.first { $0.kind == .index }).offset
    try bench.folder.write(Array(image.bytes[..<cut]), as: "damaged.ckpt")
    do {
      _ = try salvage("damaged.ckpt")
      Issue.record("salvaged 2^51 pages")
    } catch let error as CheckpointError {
      #expect(error.kind == .refused)
    }
  }
}
