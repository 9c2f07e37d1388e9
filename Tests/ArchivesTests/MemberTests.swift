import CheckpointImage
import Formats
import Storage
import TestSupport
import Testing

@testable import Archives

/// The member that is asked for, or the only one that can be captured, whatever the archive and whatever else is in it.
@Suite(.enabled(if: Packer.isThere)) struct MemberTests {
  private let packer: Packer

  init() throws { packer = try Packer() }

  /// What a source that can be captured begins with.
  private static let core: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]

  private func open(
    _ archive: [UInt8], _ format: Packer.Format, member: String? = nil,
    as source: FileFormat? = nil,
    _ random: inout SplitMix64
  ) throws -> SourceInput {
    // The place of a 7z archive's members is at its end.
    let isPipe = format != .sevenZip && Bool.random(using: &random)
    let pieces = random.lengths(1...50_000)
    let input =
      isPipe ? InputStream(PipedBytes(archive, pieces: pieces)) : try packer.file(archive)
    return try SourceInput.source(in: input, named: "made", member: member, as: source)
  }

  @Test(arguments: Packer.Format.allCases) func archivesAreRecognised(_ format: Packer.Format)
    throws
  {
    let archive = try packer.packed([("member", [1, 2, 3])], format)
    #expect(ArchiveFormat(start: Array(archive.prefix(512))) == format.archive)
    #expect(Compression(start: archive) == nil)
    let needed = try #require(
      (0...512).first { ArchiveFormat(start: Array(archive.prefix($0))) != nil })
    #expect(needed <= 262)
    var other = archive
    other[needed - 1] ^= 0x40
    #expect(ArchiveFormat(start: Array(other.prefix(512))) == nil)
  }

  /// Members at random, some of which can be captured: none, one or several of them are found, and each by its path.
  @Test(arguments: Packer.Format.allCases) func membersAreChosen(_ format: Packer.Format) throws {
    var random = SplitMix64.forTest("members of \(format.rawValue)")
    for round in 0..<4 {
      let count = Int.random(in: 1...5, using: &random)
      // No, one, and several that fit.
      let fitting = Set((0..<round % 3).map { _ in Int.random(in: 0..<count, using: &random) })
      let members = (0..<count).map { number in
        let contents = random.contents(Int.random(in: 1...40_000, using: &random))
        return (
          name: "member-\(number)",
          bytes: (fitting.contains(number) ? Self.core : [0]) + contents
        )
      }
      let archive = try packer.packed(members, format)
      try expectTheOnlyOne(of: members, fitting.sorted(), archive, format, &random)
      for (number, (name, bytes)) in members.enumerated() {
        let path = Bool.random(using: &random) ? name : "./" + name
        let source = try open(archive, format, member: path, as: .raw, &random)
        #expect(source.input.name.hasSuffix(":\(name)"))
        #expect(source.input.containers == ["\(format.archive.rawValue) member \(name)"])
        let isSame = try source.input.rest() == bytes
        #expect(isSame, "member \(number) of \(count)")
      }
      let error = #expect(throws: CheckpointError.self) {
        _ = try open(archive, format, member: "member", as: .raw, &random)
      }
      #expect(error?.kind == .refused)
      let names = members.map(\.name).joined(separator: ", ")
      #expect(error?.reason == "holds no member member, but \(names)")
    }
  }

  /// So small that the end is seen while it is found out what it is.
  @Test(arguments: Packer.Format.allCases) func smallMembersAreChosen(_ format: Packer.Format)
    throws
  {
    var random = SplitMix64.forTest("small members of \(format.rawValue)")
    let members = (0..<2).map { (name: "member-\($0)", bytes: Self.core + [UInt8($0)]) }
    let archive = try packer.packed(members, format)
    try expectTheOnlyOne(of: members, [0, 1], archive, format, &random)
  }

  private func expectTheOnlyOne(
    of members: [(name: String, bytes: [UInt8])], _ fitting: [Int], _ archive: [UInt8],
    _ format: Packer.Format, _ random: inout SplitMix64
  ) throws {
    guard let first = fitting.first else {
      let error = #expect(throws: CheckpointError.self) { _ = try open(archive, format, &random) }
      #expect(error?.kind == .refused)
      for (name, _) in members {
        #expect(error?.reason.contains("\(name) (is not in a known format") == true)
      }
      return
    }
    let source = try open(archive, format, &random)
    #expect(source.format == .dump(.elf))
    let portions = random.lengths(1...30_000)
    guard fitting.count > 1 else {
      let isSame = try source.input.rest(portions: portions) == members[first].bytes
      #expect(isSame)
      return
    }
    // That there is another is known at the end: until then it is the first.
    #expect(source.input.name.hasSuffix(":member-\(first)"))
    let start = try source.input.read(members[first].bytes.count - 1, "member")
    let isSame = start[...] == members[first].bytes.dropLast()
    #expect(isSame)
    let error = #expect(throws: CheckpointError.self) {
      _ = try source.input.rest(portions: portions)
    }
    #expect(error?.kind == .refused)
    let choices = fitting.map { "\(source.input.name.split(separator: ":")[0]):member-\($0)" }
    #expect(error?.reason.hasSuffix("choose one: " + choices.joined(separator: ", ")) == true)
  }

  /// A member is never quietly shorter than it was, wherever the archive ends, and never another one.
  @Test(arguments: [Packer.Format.ustar, .newc, .zip, .sevenZip])
  func everyCutIsFound(_ format: Packer.Format) throws {
    var random = SplitMix64.forTest("cut \(format.rawValue)")
    let contents = Self.core + random.bytes(700)
    let archive = try packer.packed([("first", [0]), ("member", contents)], format)
    var whole = 0
    for length in stride(from: 0, to: archive.count, by: format.archive == .tar ? 13 : 1) {
      do throws(CheckpointError) {
        let bytes: [UInt8]
        do {
          bytes = try open(Array(archive[..<length]), format, member: "member", as: .raw, &random)
            .input.rest()
        } catch let error as CheckpointError { throw error } catch { fatalError("\(error)") }
        // What marks the end of the archive is not needed.
        let isSame = bytes == contents
        #expect(isSame, "\(length) of \(archive.count) bytes")
        whole += 1
      } catch {
        #expect([.incomplete, .damaged, .refused].contains(error.kind), "\(length): \(error)")
      }
    }
    #expect(whole < archive.count / 2)
  }

  @Test func a7zArchiveInAPipeIsRefused() throws {
    let archive = try packer.packed([("member", Self.core)], .sevenZip)
    for member in [nil, "member"] {
      let error = #expect(throws: CheckpointError.self) {
        _ = try SourceInput.source(
          in: InputStream(PipedBytes(archive)), named: "-", member: member, as: nil)
      }
      #expect(error?.kind == .refused)
      #expect(error?.reason.contains("from a file only") == true)
    }
  }
}

/// Containers inside one another.
@Suite(.enabled(if: Packer.isThere)) struct NestingTests {
  private let packer: Packer

  init() throws { packer = try Packer() }

  private static let core: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]

  @Test func anyContainersInsideOneAnother() throws {
    var random = SplitMix64.forTest("nesting")
    for depth in 1...8 {
      let contents = Self.core + random.contents(5000)
      var bytes = contents
      var containers: [String] = []
      for _ in 0..<depth {
        if Int.random(in: 0..<3, using: &random) > 0 {
          let compression = Compression.allCases.randomElement(using: &random) ?? .gzip
          bytes = try packer.compressed(bytes, compression)
          containers.insert(compression.rawValue, at: 0)
        } else {
          let format = [Packer.Format.ustar, .newc].randomElement(using: &random) ?? .ustar
          bytes = try packer.packed([("notes", [0x20]), ("in", bytes)], format)
          containers.insert("\(format.archive.rawValue) member in", at: 0)
        }
      }
      let input = InputStream(PipedBytes(bytes, pieces: random.lengths(1...3000)))
      let source = try SourceInput.source(in: input, named: "nested", member: nil, as: nil)
      #expect(source.input.containers == containers)
      let isSame = try source.input.rest(portions: random.lengths(1...3000)) == contents
      #expect(isSame, "\(containers)")
    }
  }

  @Test func tooManyAreRefused() throws {
    var bytes = Self.core
    for _ in 0..<9 { bytes = try packer.compressed(bytes, .gzip) }
    let error = #expect(throws: CheckpointError.self) {
      _ = try SourceInput.source(
        in: InputStream(PipedBytes(bytes)), named: "nested", member: nil, as: nil)
    }
    #expect(error?.kind == .refused)
    #expect(error?.reason == "more than 8 containers inside one another")
  }

  /// Xen's streams are found through compressions, where a file is checked; nothing else is.
  @Test func streamsOfXen() throws {
    let xl = Array("Xen saved domain, xl format\n \0 \r".utf8) + [4, 3, 2, 1]
    for bytes in [
      xl, try packer.compressed(xl, .xz), try packer.compressed(packer.compressed(xl, .zstd), .lz4),
    ] {
      let found = try #require(try SourceInput.stream(in: InputStream(PipedBytes(bytes))))
      #expect(found.format == .xl)
      #expect(try found.input.rest() == xl)
    }
    #expect(try SourceInput.stream(in: InputStream(PipedBytes(Self.core))) == nil)
    let core = try packer.compressed(Self.core, .gzip)
    #expect(try SourceInput.stream(in: InputStream(PipedBytes(core))) == nil)
  }
}
