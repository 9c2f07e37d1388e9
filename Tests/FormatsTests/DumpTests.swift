import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Formats
import KdumpLibrary
import Storage
import TestSupport
import Testing

/// ELF core files made by hand: what QEMU and Linux write, and what nobody should.
@Suite struct DumpTests {
  private struct Segment: CustomTestStringConvertible {
    var address: UInt64
    var contents: [UInt8]
    var size: UInt64?
    var virtual: UInt64 = 0
    /// The bytes it says that the file has, if these are not the contents.
    var stored: UInt64?

    var testDescription: String { "\(contents.count) bytes at \(address)" }
  }

  private static func page(_ value: UInt8) -> [UInt8] {
    [UInt8](repeating: value, count: Limits.pageSize)
  }

  /// The program headers begin at `table`, the memory one byte behind the last of them.
  private static func elf(_ segments: [Segment], table: UInt64 = 64) -> [UInt8] {
    var head = WireWriter()
    head.write([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9))
    head.write(UInt16(4))
    head.write(UInt16(62))
    head.write(UInt32(1))
    head.write(UInt64(0))
    head.write(table)
    head.write(UInt64(0))
    head.write(UInt32(0))
    for field in [64, 56, UInt16(segments.count), 64, 0, 0] as [UInt16] { head.write(field) }
    head.write([UInt8](repeating: 0, count: Int(table) - 64))
    var offset = table + 56 * UInt64(segments.count) + 1
    for segment in segments {
      head.write(UInt32(1))
      head.write(UInt32(7))
      head.write(offset)
      head.write(segment.virtual)
      head.write(segment.address)
      head.write(segment.stored ?? UInt64(segment.contents.count))
      head.write(segment.size ?? UInt64(segment.contents.count))
      head.write(UInt64(0))
      offset += UInt64(segment.contents.count)
    }
    return head.bytes + [0] + segments.flatMap(\.contents)
  }

  /// The pages and states of a source, by PFN.
  private func read(_ bytes: [UInt8]) throws -> [PFN: (PageState, UInt8, UInt8)] {
    let folder = try TestFolder()
    try folder.write(bytes, as: "core")
    let input = try InputStream(folder.path("core"))
    let source = try FormatTable.recognise(input).open(input, kdump: KdumpSource.open)
    var found: [PFN: (PageState, UInt8, UInt8)] = [:]
    while let event = try source.next() {
      switch event {
      case .pages(let batch):
        for (slot, page) in batch.pages.enumerated() {
          let bytes = unsafe batch.buffer.page(slot).withUnsafeBytes { unsafe Array($0) }
          found[page.pfn] = (.data, bytes[0], bytes[Limits.pageSize - 1])
        }
      case .states(let extent):
        for pfn in extent.pfn..<extent.end { found[pfn] = (extent.status.state, 0, 0) }
      default: break
      }
    }
    return found
  }

  @Test func pagesInPartAreFilledWithZeros() throws {
    // As the memory below 640 KiB ends on many machines, with the next range behind it in the same page.
    let found = try read(
      Self.elf(
        [
          Segment(address: 0x1000, contents: Array(Self.page(1).prefix(0xc00))),
          Segment(address: 0x1e00, contents: Array(Self.page(2).prefix(0x200)) + Self.page(3)),
          Segment(address: 0x8200, contents: [4]),
        ], table: 192))
    #expect(found.count == 3)
    #expect(found[1].map { $0 == (.data, 1, 2) } == true)
    #expect(found[2].map { $0 == (.data, 3, 3) } == true)
    #expect(found[8].map { $0 == (.data, 0, 0) } == true)
  }

  @Test func whatTheFileDoesNotHaveIsUnreadable() throws {
    let found = try read(
      Self.elf([
        Segment(address: 0, contents: Self.page(1), size: 0x3000),
        Segment(address: 0x5000, contents: Self.page(2)),
      ]))
    #expect(found.mapValues(\.0) == [0: .data, 1: .unreadable, 2: .unreadable, 5: .data])
  }

  @Test func manySegmentsOfTheSameNotesAreRefused() throws {
    // A note of 24 MiB, three times.
    let length = 24 << 20
    var note = WireWriter()
    for number in [1, UInt32(length), 0] { note.write(number) }
    note.write([UInt8](repeating: 0, count: 4 + length))
    var file = Self.elf(
      [Segment(address: 0, contents: Self.page(1))]
        + (0..<3).map { _ in Segment(address: 0, contents: []) })
    var header = WireWriter()
    header.write(UInt64(file.count))
    header.write([UInt8](repeating: 0, count: 16))
    header.write(UInt64(note.bytes.count))
    for place in [120, 176, 232] {
      file[place] = 4
      file.replaceSubrange(place + 8..<place + 40, with: header.bytes)
    }
    let error = #expect(throws: CheckpointError.self) { try read(file + note.bytes) }
    #expect(error?.reason.hasPrefix("notes: found") == true)
  }

  /// Else a few bytes could be memory without end.
  @Test func segmentsOfTheSameBytesAreRefused() throws {
    var bytes = Self.elf((0..<40).map { Segment(address: $0 << 20, contents: Self.page(7)) })
    let offset = Array(bytes[64 + 8..<64 + 16])
    for segment in 1..<40 {
      bytes.replaceSubrange(64 + segment * 56 + 8..<64 + segment * 56 + 16, with: offset)
    }
    // As long as there are as many bytes as they say, nothing is wrong.
    #expect(try read(bytes).count == 40)
    bytes.removeLast(20 * Limits.pageSize)
    let error = #expect(throws: CheckpointError.self) { try read(bytes) }
    #expect(error?.reason.contains("more bytes in the file than its") == true)
  }

  @Test func secondViewOfTheKernelIsPassedOver() throws {
    let found = try read(
      Self.elf([
        Segment(address: 0x1000, contents: Self.page(7), virtual: 0xffff_ffff_8100_0000),
        Segment(address: 0, contents: Self.page(1) + Self.page(7) + Self.page(2)),
      ]))
    #expect(found.mapValues(\.1) == [0: 1, 1: 7, 2: 2])
  }

  /// Segments that no dump has, and what is said of them.
  private struct Absurdity: CustomTestStringConvertible {
    var testDescription: String
    var segments: [Segment]
    var kind = CheckpointError.Kind.damaged
    /// Which program header; nil if it is not one alone.
    var header: Int? = 0
    var reason: String
  }

  @Test(arguments: [
    Absurdity(
      testDescription: "overlap",
      segments: [
        Segment(address: 0, contents: page(1)), Segment(address: 0x800, contents: page(2)),
      ],
      header: 1, reason: "overlaps another one at address 2048"),
    Absurdity(
      testDescription: "more in the file than in memory",
      segments: [Segment(address: 0, contents: page(1), size: 0x800)],
      reason: "bytes in the file: found 4096, expected at most 2048"),
    Absurdity(
      testDescription: "beyond 2^52", segments: [Segment(address: 1 << 52, contents: page(1))],
      reason: "address: found 4096 bytes at 4503599627370496, expected an end below 2^52"),
    Absurdity(
      testDescription: "around 2^64", segments: [Segment(address: .max - 10, contents: page(1))],
      reason: "address: found 4096 bytes at 18446744073709551605, expected an end below 2^52"),
    Absurdity(
      testDescription: "all that can be counted",
      segments: [Segment(address: 0, contents: page(1), size: .max)],
      reason: "address: found 18446744073709551615 bytes at 0, expected an end below 2^52"),
    Absurdity(
      testDescription: "hardly anything of it in the file",
      segments: [Segment(address: 0, contents: page(1), size: 1 << 51)],
      header: nil, reason: "549755813887 pages without contents beside 1 with contents"),
    Absurdity(
      testDescription: "behind the end of the file",
      segments: [Segment(address: 0, contents: page(1), size: 1 << 20, stored: 4097)],
      kind: .incomplete, reason: "the file ends at 4217, expected it to reach 4218"),
    Absurdity(
      testDescription: "a place in the file around 2^64",
      segments: [Segment(address: 0, contents: page(1), size: .max, stored: .max - 10)],
      reason: "file size: found 18446744073709551605 bytes at 121, expected an end below 2^52"),
  ])
  private func absurdSegmentsAreRefused(_ absurdity: Absurdity) throws {
    let error = try #require(
      #expect(throws: CheckpointError.self) { try read(Self.elf(absurdity.segments)) })
    #expect(error.kind == absurdity.kind)
    #expect(error.structure == "ELF program header")
    #expect(error.offset == absurdity.header.map { UInt64(64 + 56 * $0) })
    #expect(error.reason.hasPrefix(absurdity.reason), "\(error)")
  }
}
