import CheckpointImage
import Storage
import TestSupport
import Testing

@testable import Archives

/// What the programs compress is recognised, and comes back; what is damaged is never taken for whole.
@Suite(.enabled(if: Packer.isThere)) struct CompressionTests {
  private let packer: Packer

  init() throws { packer = try Packer() }

  private func expanded(
    _ bytes: [UInt8], _ compression: Compression, pieces: [Int] = [.max],
    portions: [Int] = [1 << 16]
  ) throws(CheckpointError) -> [UInt8] {
    let input = InputStream(PipedBytes(bytes, pieces: pieces))
    return try InputStream(ExpandedOrigin(compression, input)).rest(portions: portions)
  }

  @Test(arguments: Compression.allCases)
  func whatItsProgramMakesComesBack(_ compression: Compression) throws {
    var random = SplitMix64.forTest("compressed by \(compression)")
    for way in Packer.ways(compression) {
      // The older format has no end mark either: nothing at all is a file that was cut.
      for length in [0, 1, 65_535, 65_537, 200_000] where length > 0 || way != ["-l"] {
        let contents = random.contents(length)
        let bytes = try packer.compressed(contents, compression, way)
        #expect(Compression(start: bytes) == compression, "\(way)")
        #expect(ArchiveFormat(start: bytes) == nil, "\(way)")
        let found = try expanded(
          bytes, compression, pieces: random.lengths(1...100_000),
          portions: random.lengths(1...100_000))
        let isSame = found == contents
        #expect(isSame, "\(way), \(length) bytes")
      }
    }
  }

  @Test(arguments: Compression.allCases)
  func onlyItsFirstBytesTell(_ compression: Compression) throws {
    for way in Packer.ways(compression) {
      let bytes = try packer.compressed(Array("contents".utf8), compression, way)
      let needed = try #require(
        bytes.indices.first { Compression(start: Array(bytes[..<$0])) == compression })
      #expect((3...6).contains(needed))
      for length in 0..<needed { #expect(Compression(start: Array(bytes[..<length])) == nil) }
      for bit in 0..<8 * needed {
        var other = Array(bytes[..<16])
        other[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(Compression(start: other) == nil, "\(way): bit \(bit)")
      }
      #expect(Compression(start: [0] + bytes) == nil)
    }
  }

  @Test func namesSpeakOfThem() {
    let names: [(String, Compression?, String?)] = [
      ("save.gz", .gzip, "save"), ("a.b/save.TGZ", .gzip, "a.b/save.tar"),
      ("m.raw.xz", .xz, "m.raw"),
      ("m.txz", .xz, "m.tar"), ("m.zst", .zstd, "m"), ("m.zstd", .zstd, "m"),
      ("m.tzst", .zstd, "m.tar"), ("m.lz4", .lz4, "m"), ("m.bz2", .bzip2, "m"),
      ("m.tar.bz2", .bzip2, "m.tar"), ("m.tbz", .bzip2, "m.tar"), ("gz", nil, nil),
      ("m.gz.save", nil, nil), ("m.tar", nil, nil), ("", nil, nil),
    ]
    for (name, compression, stripped) in names {
      #expect(Compression(named: name) == compression, "\(name)")
      #expect(compression?.strippedName(name) == stripped, "\(name)")
    }
  }

  /// Each cut of a file that is still recognised is one that ends too early.
  @Test(arguments: Compression.allCases) func everyCutIsFound(_ compression: Compression) throws {
    let contents = Array("some contents, some contents, and what follows them\n".utf8)
    for way in Packer.ways(compression) where way != ["-l"] {
      let bytes = try packer.compressed(contents, compression, way)
      for length in bytes.indices where Compression(start: Array(bytes[..<length])) != nil {
        let comment: Comment = "\(way): \(length) of \(bytes.count) bytes"
        let error = #expect(throws: CheckpointError.self, comment) {
          _ = try expanded(Array(bytes[..<length]), compression)
        }
        #expect(
          error?.structure == "\(compression.rawValue) data" && error?.file == "pipe", comment)
        #expect(error?.offset.map { $0 <= UInt64(length) } == true, comment)
        #expect(error?.kind == .incomplete, "\(comment): \(error as Any)")
      }
    }
  }

  /// libarchive does not begin with less than the head of a bzip2 file.
  @Test func theHeadOfABzip2FileIsIncomplete() throws {
    let bytes = try packer.compressed([1, 2, 3], .bzip2)
    let kinds = (3..<14).map { length in
      #expect(throws: CheckpointError.self) {
        _ = try expanded(Array(bytes[..<length]), .bzip2)
      }?.kind
    }
    #expect(kinds.allSatisfy { $0 == .incomplete })
  }

  /// Nor does it begin with a damaged head, of which nothing is missing.
  @Test func aDamagedHeadOfABzip2FileIsDamaged() throws {
    let bytes = try packer.compressed([1, 2, 3], .bzip2)
    for place in 3..<10 {
      var damaged = bytes
      damaged[place] ^= 0x80
      let error = #expect(throws: CheckpointError.self) { _ = try expanded(damaged, .bzip2) }
      #expect(error?.kind == .damaged, "byte \(place): \(error as Any)")
    }
  }

  /// Each bit of a file: what comes out of it is what was put in, or an error says that it is damaged.
  @Test(arguments: Compression.allCases) func everyFlippedBitIsFound(_ compression: Compression)
    throws
  {
    let contents = Array("some contents, some contents, and what follows them\n".utf8)
    let bytes = try packer.compressed(contents, compression)
    var refused = 0
    for bit in 0..<8 * bytes.count {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      do throws(CheckpointError) {
        let isSame = try expanded(damaged, compression) == contents
        #expect(isSame, "bit \(bit % 8) of byte \(bit / 8)")
      } catch {
        refused += 1
        #expect(
          error.kind == .damaged || error.kind == .incomplete,
          "bit \(bit % 8) of byte \(bit / 8): \(error)")
        #expect(error.structure == "\(compression.rawValue) data" && error.file == "pipe")
      }
    }
    // Some say only by which system, when and how well it was compressed.
    #expect(refused > 6 * bytes.count, "\(refused) of \(8 * bytes.count)")
  }

  /// The window is memory that a few bytes may ask for: 1 GiB, and within another container 128 MiB.
  @Test(arguments: [(27, true, true), (28, true, false), (30, true, false), (31, false, false)])
  func windows(size: Int, alone: Bool, nested: Bool) throws {
    // The magic number, no flags, the window as an exponent from 1 KiB on; a block, raw, the last, empty.
    let frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0, UInt8((size - 10) << 3), 1, 0, 0]
    func expand(_ input: InputStream, taken: Bool) throws {
      let stream = InputStream(try ExpandedOrigin(.zstd, input))
      guard !taken else {
        #expect(try stream.rest().isEmpty)
        return
      }
      let error = #expect(throws: CheckpointError.self) { _ = try stream.rest() }
      #expect(error?.kind == .damaged)
      #expect(error?.reason.contains("requires too much memory") == true, "\(error as Any)")
    }
    try expand(InputStream(PipedBytes(frame)), taken: alone)
    let outer = InputStream(PipedBytes(try packer.compressed(frame, .gzip)))
    try expand(InputStream(ExpandedOrigin(.gzip, outer)), taken: nested)
  }

  /// However much there is, only what is asked for is expanded, and little more is read.
  @Test func aBombIsNotExpandedBeforehand() throws {
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    let (length, count) = (8 << 20, 512)
    let part = try packer.compressed([UInt8](repeating: 0, count: length), .gzip)
    // 4 GiB.
    let bomb = [[UInt8]](repeating: part, count: count).flatMap(\.self)
    let pipe = PipedBytes(bomb)
    let stream = InputStream(try ExpandedOrigin(.gzip, InputStream(pipe)))
    #expect(pipe.taken == 0)
    while stream.position < 20 << 20 {
      let bytes = try stream.some(zeros.count)
      let isSame = !bytes.isEmpty && bytes[...] == zeros.prefix(bytes.count)
      #expect(isSame)
      // What was needed so far, and a buffer full of what comes next.
      let needed = (Int(stream.position) / length + 1) * part.count
      #expect(pipe.taken <= needed + (1 << 18))
    }
  }
}
