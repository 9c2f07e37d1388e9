import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Formats
import KdumpLibrary
import Operations
import Storage
import TestSupport
import Testing

/// What is exported as a kdump-compressed file, read by libkdumpfile; and files that lie to it.
@Suite struct KdumpTests {
  private let folder: TestFolder
  private let pool = WorkerPool()

  init() throws { folder = try TestFolder() }

  /// A guest's pages: zeros, repetition and noise, with holes between them.
  private static func memory(_ random: inout SplitMix64) -> [PFN: [UInt8]] {
    var pages: [PFN: [UInt8]] = [:]
    for start: PFN in [0, 500, 32_760, 70_000] {
      for pfn in start..<start + 40 where Int.random(in: 0..<4, using: &random) > 0 {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: pages[pfn] = [UInt8](repeating: 0, count: Limits.pageSize)
        case 1: pages[pfn] = random.bytes(Limits.pageSize)
        default: pages[pfn] = Array([[UInt8]](repeating: random.bytes(64), count: 64).joined())
        }
      }
    }
    return pages
  }

  /// A kdump file of these pages.
  private func dump(
    _ pages: [PFN: [UInt8]], _ codec: CodecID, leavingOut plan: EvictionPlan = EvictionPlan(),
    vmcoreinfo: [UInt8]? = nil
  ) throws -> [UInt8] {
    let image = try OutputFile(folder.path("image"), force: true, sync: false)
    _ = try Capture(settings: CodecSettings(), parent: nil, provenance: Provenance())
      .run(.source(PageSource(pages)), to: image, on: pool)
    try image.commit()
    let output = try OutputFile(folder.path("dump"), force: true, sync: false)
    var options = DumpOptions()
    options.codec = CodecSettings(codec: codec)
    options.leftOut = plan
    options.vmcoreinfo = vmcoreinfo
    _ = try Export.run(
      try Chain.open(folder.path("image")), as: .dump(.kdump), options: options, to: output,
      on: pool)
    try output.commit()
    return try folder.bytes("dump")
  }

  private func open(_ bytes: [UInt8]) throws -> any DescribedSource {
    try folder.write(bytes, as: "dump")
    return try KdumpSource.open(InputStream(folder.path("dump")))
  }

  /// The pages with contents, and the states of the others.
  private func read(_ source: any DescribedSource) throws -> (
    pages: [PFN: [UInt8]], states: [PFN: PageStatus]
  ) {
    var pages: [PFN: [UInt8]] = [:]
    var states: [PFN: PageStatus] = [:]
    while let event = try source.next() {
      switch event {
      case .pages(let batch):
        for (slot, page) in batch.pages.enumerated() {
          guard page.state == .data else {
            states[page.pfn] = page.status
            continue
          }
          pages[page.pfn] = unsafe batch.buffer.page(slot).withUnsafeBytes { unsafe Array($0) }
        }
      case .states(let extent):
        for pfn in extent.pages { states[pfn] = extent.status }
      default: break
      }
    }
    return (pages, states)
  }

  private func page(_ pfn: PFN, of memory: any PhysicalMemory) throws -> [UInt8]? {
    let buffer = PageBuffer(pages: 1)
    guard try memory.copy([pfn], to: buffer, at: 0).isEmpty else { return nil }
    return unsafe buffer.page(0).withUnsafeBytes { unsafe Array($0) }
  }

  @Test(arguments: CodecID.allCases) func pagesComeBack(_ codec: CodecID) throws {
    var random = SplitMix64.forTest("kdump with \(codec)")
    let model = Self.memory(&random)
    var plan = EvictionPlan()
    for pfn in model.keys.sorted() where Int.random(in: 0..<5, using: &random) == 0 {
      plan.evict(pfn..<pfn + 1, .user)
    }
    for plan in [EvictionPlan(), plan] {
      let source = try open(dump(model, codec, leavingOut: plan))
      let (pages, states) = try read(source)
      let expected = model.filter { plan[$0.key] == .none }
      #expect(pages.keys.sorted() == expected.keys.sorted())
      for (pfn, page) in expected {
        let isSame = pages[pfn] == page
        #expect(isSame, "PFN \(pfn)")
      }
      #expect(Set(states.keys) == Set(model.keys.filter { plan[$0] != .none }))
      #expect(states.values.allSatisfy { $0 == PageStatus(.evicted, reason: .listed) })
      // In any order, many at once, with some among them that are not there.
      let memory = try #require(source.sourceMemory?.memory)
      let asked =
        (Array(model.keys) + [200, 70_100, 1 << 40, Limits.pfnEnd - 1, .max]).shuffled(
          using: &random)
      let buffer = PageBuffer(pages: asked.count + 1)
      let unknown = Set(try memory.copy(asked[...], to: buffer, at: 1))
      for (place, pfn) in asked.enumerated() {
        #expect(unknown.contains(place) == (expected[pfn] == nil), "PFN \(pfn)")
        guard let page = expected[pfn] else { continue }
        let found = unsafe buffer.page(place + 1).withUnsafeBytes { unsafe Array($0) }
        let isSame = found == page
        #expect(isSame, "PFN \(pfn)")
        #expect(memory.runs.contains { $0.contains(pfn) } && pfn < memory.limit)
      }
    }
  }

  /// Where the descriptors lie, by the header's own words: behind the header, the sub-header and the bitmaps.
  private static func descriptors(_ file: [UInt8]) -> Int {
    (1 + Int(file[432]) | Int(file[433]) << 8) * 4096 + (Int(file[436]) | Int(file[437]) << 8)
      * 4096
  }

  private static func put(_ value: UInt64, _ count: Int, _ file: inout [UInt8], at place: Int) {
    for byte in 0..<count {
      file[place + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
    }
  }

  private static func number(_ count: Int, _ file: [UInt8], at place: Int) -> UInt64 {
    (0..<count).reduce(0) { $0 | UInt64(file[place + $1]) << UInt64(8 * $1) }
  }

  /// Four pages that repeat, of which the third has a descriptor that says something else.
  private func lie(_ codec: CodecID, _ change: (inout [UInt8], Int) -> Void) throws -> [UInt8] {
    let pages = (1...4).map { [UInt8](repeating: $0, count: Limits.pageSize) }
    var file = try dump(
      Dictionary(uniqueKeysWithValues: pages.enumerated().map { (PFN($0), $1) }), codec)
    change(&file, Self.descriptors(file) + 2 * 24)
    return file
  }

  /// What was never written, is not in the file, or cannot be a page: that page is unreadable, all others are there.
  @Test func impossibleDescriptorsLoseTheirPage() throws {
    let lies: [(at: Int, bytes: Int, value: UInt64)] = [
      (0, 8, .max), (0, 8, 1 << 40), (8, 4, 0), (8, 4, 4097), (8, 4, UInt64(UInt32.max)),
      (12, 4, 0),
    ]
    for lie in lies {
      try expectOnlyThirdIsLost(
        self.lie(.zlib) { Self.put(lie.value, lie.bytes, &$0, at: $1 + lie.at) }, "\(lie)")
    }
    try expectOnlyThirdIsLost(
      lie(.zlib) { file, place in
        file.replaceSubrange(place..<place + 24, with: repeatElement(0, count: 24))
      },
      "zeros")
    try expectOnlyThirdIsLost(
      lie(.zlib) { Self.put(UInt64($0.count) - 5, 8, &$0, at: $1) }, "behind the end")
  }

  @Test func unknownCompressionIsUnsupported() throws {
    for flags: UInt64 in [3, 8, 1 << 31] {
      let file = try lie(.zlib) { Self.put(flags, 4, &$0, at: $1 + 12) }
      let error = #expect(throws: CheckpointError.self) { _ = try open(file) }
      #expect(error?.kind == .unsupported && error?.structure == "kdump page descriptor")
    }
  }

  /// Wherever it breaks off behind its bitmaps, what is there is there, and the rest is unreadable.
  @Test func cutDumpsHaveWhatIsThere() throws {
    var random = SplitMix64.forTest("cut kdump files")
    let memory = Self.memory(&random)
    let whole = try dump(memory, .zlib)
    var counts: Set<Int> = []
    for _ in 0..<20 {
      let length = Int.random(in: Self.descriptors(whole)...whole.count, using: &random)
      let source = try open(Array(whole.prefix(length)))
      let found = try read(source)
      #expect(found.pages.allSatisfy { memory[$0.key] == $0.value })
      #expect(found.states.values.allSatisfy { $0.state == .unreadable })
      let stored = memory.filter { $0.value.contains { $0 != 0 } || found.pages[$0.key] != nil }
      #expect(Set(found.pages.keys).union(found.states.keys).isSuperset(of: stored.keys))
      let isCut = source.facts.remarks.contains { $0.weight == .incomplete }
      #expect(isCut == !found.states.isEmpty)
      counts.insert(found.pages.count)
    }
    #expect(counts.count > 5, "\(counts)")
  }

  /// Names of the machine that old writers shifted or left empty, beside notes that say it.
  @Test(arguments: ["x86_64", "64", "", "aarch64"]) func namesOfTheMachine(_ name: String) throws {
    var random = SplitMix64.forTest("names of the machine")
    for hasNote in [false, true] {
      var file = try dump(
        Self.memory(&random), .zlib,
        vmcoreinfo: hasNote ? Array("OSRELEASE=6.1.0\nNUMBER(phys_base)=0\n".utf8) : nil)
      let bytes = Array(name.utf8)
      file.replaceSubrange(
        12 + 4 * 65..<12 + 5 * 65, with: bytes + [UInt8](repeating: 0, count: 65 - bytes.count))
      if name == "x86_64" || (hasNote && name != "aarch64") {
        #expect(try !read(open(file)).pages.isEmpty)
      } else {
        let error = #expect(throws: CheckpointError.self) { _ = try open(file) }
        #expect(error?.kind == .refused)
      }
    }
  }

  @Test func aMarkOfIncompletenessIsTold() throws {
    var random = SplitMix64.forTest("marked incomplete")
    var file = try dump(Self.memory(&random), .zlib)
    file[424] |= 8
    let source = try open(file)
    _ = try read(source)
    #expect(source.facts.remarks.map(\.weight) == [.note])
  }

  /// The page that it is about is unreadable, which is told, and all others are there.
  private func expectOnlyThirdIsLost(_ file: [UInt8], _ comment: Comment) throws {
    let memory = try #require(try open(file).sourceMemory?.memory)
    for pfn in [0, 1, 3] as [PFN] {
      #expect(try page(pfn, of: memory)?.allSatisfy { $0 == UInt8(pfn) + 1 } == true, comment)
    }
    #expect(try page(2, of: memory) == nil, comment)
    // Once more, after the failure.
    #expect(try page(3, of: memory)?.first == 4, comment)
    let source = try open(file)
    let found = try read(source)
    #expect(Set(found.pages.keys) == [0, 1, 3], comment)
    #expect(found.states[2] == PageStatus(.unreadable), comment)
    #expect(source.facts.remarks.map(\.weight) == [.incomplete], comment)
  }

  @Test(arguments: [CodecID.zlib, .zstd]) func descriptorsOfOtherContents(_ codec: CodecID) throws {
    // Shorter by a byte, a byte further on, at the beginning of the file.
    try expectOnlyThirdIsLost(
      lie(codec) { Self.put(Self.number(4, $0, at: $1 + 8) - 1, 4, &$0, at: $1 + 8) }, "shorter")
    try expectOnlyThirdIsLost(
      lie(codec) {
        Self.put(Self.number(8, $0, at: $1) + 1, 8, &$0, at: $1)
        Self.put(Self.number(4, $0, at: $1 + 8) - 1, 4, &$0, at: $1 + 8)
      }, "further on")
    try expectOnlyThirdIsLost(lie(codec) { Self.put(0, 8, &$0, at: $1) }, "the header")
    for flag: UInt64 in [1, 2, 4, 32] where flag != (codec == .zlib ? 1 : 32) {
      try expectOnlyThirdIsLost(lie(codec) { Self.put(flag, 4, &$0, at: $1 + 12) }, "flag \(flag)")
    }
  }

  /// What another program compressed, and what is no page.
  @Test(
    .enabled(if: Program.areThere("zstd")), arguments: [0, 1, 100, 4095, 4097, 8192, 1 << 20])
  func contentsOfAnotherLength(_ length: Int) throws {
    let contents = [UInt8](repeating: 3, count: length)
    let bytes = try Program.run(["zstd", "-q", "-c"], in: folder, input: contents)
    let file = try lie(.zstd) { file, place in
      Self.put(UInt64(file.count), 8, &file, at: place)
      Self.put(UInt64(bytes.count), 4, &file, at: place + 8)
      file += bytes
    }
    try expectOnlyThirdIsLost(file, "\(length) bytes")
  }

  @Test(.enabled(if: Program.areThere("zstd"))) func contentsOfTheRightLength() throws {
    let contents = [UInt8](repeating: 9, count: Limits.pageSize)
    let bytes = try Program.run(["zstd", "-q", "-c", "-19"], in: folder, input: contents)
    let file = try lie(.zstd) { file, place in
      Self.put(UInt64(file.count), 8, &file, at: place)
      Self.put(UInt64(bytes.count), 4, &file, at: place + 8)
      file += bytes
    }
    #expect(try page(2, of: #require(try open(file).sourceMemory?.memory)) == contents)
  }

  /// Whatever stands in headers, bitmaps and descriptors: pages, or an error.
  @Test func damagedFilesEndInPagesOrAnError() throws {
    var random = SplitMix64.forTest("damaged kdump files")
    let sound = try dump(Self.memory(&random), .zlib)
    let descriptors = Self.descriptors(sound)
    let interesting =
      sound.indices.filter { $0 < descriptors && sound[$0] != 0 }
      + Array(424..<480) + Array(4096..<4200) + Array(descriptors..<descriptors + 240)
    var refused = 0
    for _ in 0..<300 {
      var file = sound
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = interesting.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<3, using: &random) {
        case 0: file[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: file[place] = .max
        default: Self.put(random.next(), 4, &file, at: place)
        }
      }
      do {
        let pages = try read(open(file)).pages
        #expect(pages.count <= file.count)
      } catch let error as CheckpointError {
        let kinds: [CheckpointError.Kind] = [.damaged, .incomplete, .unsupported, .refused]
        #expect(kinds.contains(error.kind) && error.file != nil, "\(error)")
        refused += 1
      }
    }
    #expect(refused > 60, "\(refused) refused")
  }
}

/// Pages as they are, ascending.
private final class PageSource: DescribedSource {
  let name = "pages"
  let facts = SourceFacts(kind: "pages", architecture: .x86, ascendingUnique: true, fields: [])
  let layoutKind: LayoutKind? = LayoutKind.none
  let fractionDone: Double? = nil
  private var rest: ArraySlice<(key: PFN, value: [UInt8])>

  init(_ pages: [PFN: [UInt8]]) { rest = pages.sorted { $0.key < $1.key }[...] }

  func next() throws(CheckpointError) -> SourceEvent? {
    guard !rest.isEmpty else { return nil }
    let part = rest.prefix(PageBuffer.capacity)
    rest = rest.dropFirst(part.count)
    let buffer = PageBuffer()
    for (slot, page) in part.enumerated() {
      unsafe page.value.withUnsafeBytes { unsafe buffer.copy($0, to: slot) }
    }
    return .pages(PageBatch(buffer: buffer, pages: part.map { PageBatch.Page(pfn: $0.key) }))
  }
}
