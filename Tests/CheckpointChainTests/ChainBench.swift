import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Formats
import Operations
import Storage
import TestSupport
import Testing

/// A folder for a test's images, and the steps every chain test takes.
final class ChainBench {
  let folder: TestFolder
  let pool = WorkerPool()

  init() throws { folder = try TestFolder() }

  func path(_ name: String) -> String { folder.path(name) }

  @discardableResult
  func capture(
    _ source: any DescribedSource, as name: String, parent: String? = nil,
    settings: CodecSettings = CodecSettings(regionPages: 8),
    evicting plan: EvictionPlan = EvictionPlan()
  ) throws -> ImageWriter.Summary {
    try capture(.source(source, evicting: plan), as: name, parent: parent, settings: settings)
  }

  @discardableResult
  func capture(
    _ input: CaptureInput, as name: String, parent: String? = nil,
    settings: CodecSettings = CodecSettings(regionPages: 8)
  ) throws -> ImageWriter.Summary {
    var chain: Chain?
    if let parent { chain = try Chain.open(path(parent)) }
    let output = try OutputFile(path(name), force: false, sync: false)
    let capture = Capture(
      settings: settings, parent: chain.map { ParentState($0) }, provenance: Provenance())
    let result = try capture.run(input, to: output, on: pool)
    try output.commit()
    return result.image
  }

  @discardableResult
  func merge(
    _ tip: String, as name: String, onto: String? = nil, settings: CodecSettings? = nil,
    evicting plan: EvictionPlan = EvictionPlan()
  ) throws -> Merge.Result {
    let chain = try Chain.open(path(tip))
    var ancestor: Digest?
    if let onto { ancestor = try ImageFile(path(onto)).root.checkpointID }
    let output = try OutputFile(path(name), force: false, sync: false)
    var options = Merge.Options(onto: ancestor, settings: settings, provenance: Provenance())
    options.evicted = plan
    let result = try Merge.run(chain, options, to: output, on: pool)
    try output.commit()
    return result
  }

  func findings(_ tip: String) throws -> [CheckpointError] {
    let check = Verification(.full, on: pool)
    try check.run(LocalFile(path(tip)), finding: Folders(of: path(tip), searching: []))
    return check.findings + (check.obstacle.map { [$0] } ?? [])
  }

  /// Compares every page of a tip, and pages around them, with a model.
  func expect(_ tip: String, equals model: ModelMoment, _ comment: Comment) throws {
    let chain = try Chain.open(path(tip))
    let reader = PageReader(chain)
    var wanted = Set(model.pages.keys)
    for (block, _) in chain.memoryTree { wanted.formUnion(block.pages) }
    for pfn in wanted.sorted() {
      let page = model.pages[pfn] ?? ModelMoment.Page(status: PageStatus(.unpopulated))
      let entry = try chain.entry(pfn)
      guard entry.status == page.status else {
        Issue.record("\(comment): PFN \(pfn): found \(entry.status), expected \(page.status)")
        return
      }
      guard page.status.state == .data else { continue }
      let batch = try reader.read([pfn..<pfn + 1])
      let found = unsafe batch.buffer.page(0).withUnsafeBytes { unsafe Array($0) }
      guard found == ModelMoment.contents(page.seed) else {
        Issue.record("\(comment): PFN \(pfn): contents differ")
        return
      }
    }
    let scattered = wanted.sorted { $0 &* 0x9e37_79b9_7f4a_7c15 < $1 &* 0x9e37_79b9_7f4a_7c15 }
    try expectMemory(chain, scattered + [Limits.pfnEnd, .max], equals: model, comment)
    let registers = try chain.completeRecords().last?.payload
    #expect(registers == model.registers, comment)
  }

  /// The same pages in any order, many at once.
  private func expectMemory(
    _ chain: Chain, _ pfns: [PFN], equals model: ModelMoment, _ comment: Comment
  ) throws {
    let memory = ChainMemory(chain)
    #expect(pfns.dropLast(2).allSatisfy { $0 < memory.limit }, comment)
    let buffer = PageBuffer(pages: pfns.count + 1)
    let unknown = Set(try memory.copy(pfns[...], to: buffer, at: 1))
    for (place, pfn) in pfns.enumerated() {
      let page = model.pages[pfn] ?? ModelMoment.Page(status: PageStatus(.unpopulated))
      let known = page.status.state == .data || page.status.state == .zero
      guard unknown.contains(place) != known else {
        Issue.record("\(comment): PFN \(pfn): \(page.status) was \(known ? "not " : "")read")
        return
      }
      let found = unsafe buffer.page(place + 1).withUnsafeBytes { unsafe Array($0) }
      let expected =
        page.status.state == .data
        ? ModelMoment.contents(page.seed) : [UInt8](repeating: 0, count: Limits.pageSize)
      guard !known || found == expected else {
        Issue.record("\(comment): PFN \(pfn): contents differ when read out of order")
        return
      }
    }
  }
}

extension Chain {
  /// What the index has for a page.
  func entry(_ pfn: PFN) throws(CheckpointError) -> PageEntry {
    let block = BlockNumber(containing: pfn)
    return try pages(ofBlock: block)?[block.slot(of: pfn)] ?? .unpopulated
  }
}
