import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Formats
import Operations
import Storage
import Synchronization
import TestSupport
import Testing

/// How often storage is read: for a store behind a network each read is a round trip.
@Suite struct ReadCountTests {
  /// Stored images, by name; every fetched range counts as a read.
  private final class CountingStorage: RangeReader {
    let name: String
    let length: UInt64
    let identity: StorageIdentity
    private let bytes: [UInt8]
    private let fetched = Mutex<[Range<UInt64>]>([])

    init(_ bytes: [UInt8], _ name: String) {
      self.bytes = bytes
      self.name = name
      length = UInt64(bytes.count)
      identity = StorageIdentity("counting \(name)")
    }

    func fetch(_ ranges: [Range<UInt64>]) throws(CheckpointError) -> [ArraySlice<UInt8>] {
      fetched.withLock { $0 += ranges }
      return ranges.map { bytes[Int($0.lowerBound)..<Int($0.upperBound)] }
    }

    /// The ranges read since this was asked last.
    func reads() -> [Range<UInt64>] {
      fetched.withLock { reads in
        defer { reads = [] }
        return reads
      }
    }
  }

  /// A place of images that is no folder.
  private final class Shelf: ImageFinder {
    let places = "the shelf"
    let images: [CountingStorage]

    init(_ images: [CountingStorage]) { self.images = images }

    func images(named name: String) -> [String] { images.map(\.name).filter { $0 == name } }

    func images(carrying moment: Digest) -> [String] {
      images.filter { ImageTrailer.ofImage(in: $0)?.checkpointID == moment }.map(\.name)
    }

    func open(_ location: String) throws(CheckpointError) -> any RangeReader {
      guard let image = images.first(where: { $0.name == location }) else {
        throw CheckpointError(.io, "is not on the shelf", file: location)
      }
      return image
    }
  }

  private static let pages = 4096
  private let images: [CountingStorage]
  private let memory: [[UInt8]]
  private let pool = WorkerPool(width: 2)

  /// Three moments of a guest of noise, captured into memory: a base and two increments.
  init() throws {
    var random = SplitMix64.forTest("read counts")
    var noise = random.bytes(Self.pages * Limits.pageSize)
    var images: [CountingStorage] = []
    var memory: [[UInt8]] = []
    for number in 0..<3 {
      for page in stride(from: number, to: Self.pages, by: 2) where number > 0 {
        noise[page * Limits.pageSize] &+= 1
      }
      var parent: ParentState?
      if let tip = images.last {
        parent = ParentState(try Chain.open(ImageFile(tip), finding: Shelf(images)))
      }
      let sink = MemorySink(name: "\(number).ckpt")
      let source = try StoredMemory(BytesInMemory(noise, name: "memory"))
      _ = try Capture(settings: CodecSettings(), parent: parent).run(
        .source(source), to: sink, on: pool)
      #expect(sink.bytes == nil, "nothing is there before it is complete")
      try sink.commit()
      images.append(CountingStorage(try #require(sink.bytes), sink.name))
      memory.append(noise)
    }
    self.images = images
    self.memory = memory
    for image in images { _ = image.reads() }
  }

  private func chain() throws -> Chain {
    try Chain.open(ImageFile(images[2]), finding: Shelf(images))
  }

  @Test func openingTakesTwoReads() throws {
    for image in images {
      _ = try ImageFile(image)
      let reads = image.reads()
      #expect(reads.count <= 2, "\(image.name): \(reads)")
    }
    _ = try chain()
    for image in images {
      let reads = image.reads()
      #expect(reads.count <= 2, "\(image.name) in a chain: \(reads)")
    }
  }

  @Test func onePageTakesOneReadOfEachImage() throws {
    let chain = try chain()
    // The blocks of the page and of others are known then.
    _ = try chain.block(BlockNumber(0))
    for image in images { _ = image.reads() }
    for pfn in [0, 1, 2, 3] as [PFN] {
      let batch = try PageReader(chain).read([pfn..<pfn + 1])
      let start = Int(pfn) * Limits.pageSize
      let isRight = unsafe batch.buffer.page(0).withUnsafeBytes {
        unsafe $0.elementsEqual(memory[2][start..<start + Limits.pageSize])
      }
      #expect(isRight, "PFN \(pfn)")
      #expect(images.reduce(0) { $0 + $1.reads().count } <= 1, "PFN \(pfn)")
    }
    // Of a block that was never asked for: its index block in each image, and the region.
    _ = try PageReader(chain).read([3000..<3001])
    let counts = images.map { $0.reads().count }
    #expect(counts.allSatisfy { $0 <= 2 } && counts.reduce(0, +) <= images.count + 1, "\(counts)")
  }

  /// Work that goes through the images in order reads them in large pieces.
  @Test func sequentialWorkReadsLargePieces() throws {
    let bytes = images.reduce(0) { $0 + Int($1.length) }
    // A piece is 1 MiB; each image has a last one that is shorter, is opened, and may have few pieces read twice.
    let most = 2 * bytes / Int(ReadAhead.pieceSize) + 8 * images.count
    func expectFew(_ what: Comment) {
      let reads = images.flatMap { $0.reads() }
      #expect(reads.count <= most, "\(what): \(reads.count) reads of \(bytes) bytes")
    }
    let check = Verification(.full, on: pool)
    try check.run(images[2], finding: Shelf(images))
    #expect(check.findings == [] && check.obstacle == nil)
    expectFew("verify")
    let merged = MemorySink(name: "merged")
    _ = try Merge.run(try chain(), Merge.Options(provenance: Provenance()), to: merged, on: pool)
    expectFew("merge")
    let raw = MemorySink(name: "raw")
    _ = try Export.run(try chain(), as: .raw, to: raw, on: pool)
    try raw.commit()
    let isRight = raw.bytes == memory[2]
    #expect(isRight)
    expectFew("export")
  }

  @Test func adjacentRangesAreFetchedAsOne() throws {
    let image = images[0]
    let parts = try image.read([0..<32, 32..<96, 96..<100, 200..<300, 300..<301])
    #expect(image.reads() == [0..<100, 200..<301])
    let whole = try image.bytes(at: 0, count: 301)
    for (part, range) in zip(parts, [0..<32, 32..<96, 96..<100, 200..<300, 300..<301]) {
      #expect(part.elementsEqual(whole[range]))
    }
    let error = #expect(throws: CheckpointError.self) { try image.read([0..<image.length + 1]) }
    #expect(error?.kind == .incomplete)
  }
}
