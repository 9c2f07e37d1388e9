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
    return try read(InputStream(folder.path("core"))).pages
  }

  private func read(_ input: InputStream) throws -> (
    pages: [PFN: (PageState, UInt8, UInt8)], remarks: [SourceRemark]
  ) {
    let source = try FormatTable.recognise(input).open(input, kdump: KdumpSource.open)
    var found: [PFN: (PageState, UInt8, UInt8)] = [:]
    while let event = try source.next() {
      switch event {
      case .pages(let batch):
        for (slot, page) in batch.pages.enumerated() {
          let bytes = unsafe batch.buffer.page(slot).withUnsafeBytes { unsafe Array($0) }
          found[page.pfn] =
            page.state == .data
            ? (.data, bytes[0], bytes[Limits.pageSize - 1]) : (page.state, 0, 0)
        }
      case .states(let extent):
        for pfn in extent.pfn..<extent.end { found[pfn] = (extent.status.state, 0, 0) }
      default: break
      }
    }
    return (found, source.facts.remarks)
  }

  /// What a file is read as, and what a pipe is, with the same bytes.
  private func readBoth(_ bytes: [UInt8]) throws -> [(
    pages: [PFN: (PageState, UInt8, UInt8)], remarks: [SourceRemark]
  )] {
    let folder = try TestFolder()
    try folder.write(bytes, as: "core")
    let file = try read(InputStream(folder.path("core")))
    let stream = try read(InputStream(StreamOrigin(bytes)))
    return [file, stream]
  }

  private static func lime(_ ranges: [(PFN, Int)]) -> [UInt8] {
    ranges.flatMap { start, count in
      LiMEHeader.encoded(start..<start + PFN(count))
        + (0..<count).flatMap { page(UInt8(truncatingIfNeeded: Int(start) + $0)) }
    }
  }

  /// Wherever a dump breaks off behind its head, whole pages that came are there, no part of another one is, and what
  /// is missing is unreadable as far as its place is known.
  @Test(arguments: ["ELF", "LiME"]) func cutDumpsHaveWhatIsThere(_ kind: String) throws {
    var random = SplitMix64.forTest("cut \(kind)")
    let ranges: [(PFN, Int)] = [(0, 40), (100, 3), (200, 1), (1000, 300)]
    let whole =
      kind == "LiME"
      ? Self.lime(ranges)
      : Self.elf(
        ranges.map { start, count in
          Segment(
            address: start << 12,
            contents: (0..<count).flatMap { Self.page(UInt8(truncatingIfNeeded: Int(start) + $0)) })
        })
    let head = 64 + 4 * 56 + 1 + Limits.pageSize
    for _ in 0..<40 {
      let length = Int.random(in: head..<whole.count, using: &random)
      for (number, found) in try readBoth(Array(whole.prefix(length))).enumerated() {
        let message = "\(length) bytes, \(number == 0 ? "file" : "pipe")"
        var offset = kind == "LiME" ? 0 : 64 + 4 * 56 + 1
        var ends: Set<Int> = []
        for (start, count) in ranges {
          if kind == "LiME" { offset += 32 }
          // The place of a range is known where its header came.
          let isNamed = kind == "ELF" || offset <= length
          for pfn in start..<start + PFN(count) {
            offset += Limits.pageSize
            let value = UInt8(truncatingIfNeeded: pfn)
            let expected: (PageState, UInt8, UInt8)? =
              offset <= length
              ? (.data, value, value) : isNamed ? (.unreadable, 0, 0) : nil
            let isRight =
              switch (found.pages[pfn], expected) {
              case (nil, nil): true
              case (let one?, let other?): one == other
              default: false
              }
            #expect(isRight, "\(message), PFN \(pfn): \(found.pages[pfn] as Any)")
          }
          ends.insert(offset)
        }
        // Between two ranges of LiME nothing shows that more were to come.
        let isAtBorder = kind == "LiME" && ends.contains(length)
        #expect(
          isAtBorder || found.remarks.map(\.weight).contains(.incomplete), "\(message)")
      }
    }
  }

  /// Damage to what a source is compressed in is noticed late, when pages may be wrong already; and a wish to stop is no
  /// end of the source.
  @Test(arguments: [CheckpointError.Kind.damaged, .io, .interrupted])
  func otherFailuresThanACutGoOn(_ kind: CheckpointError.Kind) throws {
    let failure = CheckpointError(kind, "as the test wishes", structure: "gzip data")
    let save = SmallSave.libxl()
    let lime = Self.lime([(0, 20), (100, 3)])
    let core = Self.elf([
      Segment(address: 0, contents: (0..<20).flatMap { Self.page(UInt8($0)) }),
      Segment(address: 1 << 20, contents: Self.page(7)),
    ])
    let badHeader = Self.lime([(0, 3)]) + [UInt8](repeating: 9, count: 100_000)
    let badTail =
      Array(save.dropLast(8)) + [4, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 9, count: 200_000)
    let sources: [(format: FileFormat, bytes: [UInt8])] = [
      (.raw, [UInt8](repeating: 1, count: 40_000)), (.raw, [UInt8](repeating: 1, count: 40_960)),
      (.dump(.lime), Array(lime.dropLast(100))), (.dump(.lime), lime), (.dump(.lime), badHeader),
      (.dump(.elf), Array(core.dropLast(5000))), (.dump(.elf), core),
      (.xen(.libxl), save), (.xen(.libxl), Array(save.dropLast(4))), (.xen(.libxl), badTail),
    ]
    for (number, source) in sources.enumerated() {
      let error = #expect(throws: CheckpointError.self, "source \(number)") {
        let opened = try source.format.open(
          InputStream(StreamOrigin(source.bytes, failure: failure)), keepingUncertain: true,
          kdump: KdumpSource.open)
        while try opened.next() != nil {}
      }
      #expect(error?.kind == kind, "source \(number): \(error as Any)")
    }
  }

  /// Two ranges share a page, and the second is cut in it: the page is not whole, whatever the first has of it.
  @Test func aSharedPageThatIsCutIsMissing() throws {
    let first = [UInt8](repeating: 1, count: 0x1800)
    let second = [UInt8](repeating: 2, count: 0x2800)
    let core = Self.elf([
      Segment(address: 0, contents: first), Segment(address: 0x1800, contents: second),
    ])
    for found in try readBoth(Array(core.dropLast(0x2600))) {
      #expect(
        found.pages.mapValues(\.0) == [0: .data, 1: .unreadable, 2: .unreadable, 3: .unreadable])
    }
    var header = LiMEHeader.encoded(0..<1)
    Self.put(0x17ff, &header, at: 16)
    let range = header + first
    header = LiMEHeader.encoded(0..<1)
    Self.put(0x1800, &header, at: 8)
    Self.put(0x3fff, &header, at: 16)
    let found = try read(range + header + second.dropLast(0x2600))
    #expect(found.mapValues(\.0) == [0: .data, 1: .unreadable, 2: .unreadable, 3: .unreadable])
  }

  /// A header of 32 bytes may name any number of pages.
  @Test func notEveryPageThatAHeaderNamesIsStated() throws {
    var header = LiMEHeader.encoded(0..<1)
    Self.put(1 << 52 - 1, &header, at: 16)
    let bytes = header + Self.page(1) + Self.page(2)
    let folder = try TestFolder()
    try folder.write(bytes, as: "core")
    for input in [try InputStream(folder.path("core")), InputStream(StreamOrigin(bytes))] {
      let source = try FormatTable.recognise(input).open(input, kdump: KdumpSource.open)
      var counts: [PageState: UInt64] = [:]
      while let event = try source.next() {
        if case .states(let extent) = event {
          counts[extent.status.state, default: 0] += extent.count
        }
        if case .pages(let batch) = event {
          for page in batch.pages { counts[page.state, default: 0] += 1 }
        }
      }
      #expect(counts[.data] == 2)
      #expect((1 << 20...1 << 26).contains(counts[.unreadable] ?? 0), "\(counts)")
      #expect(source.facts.mayLackPages)
    }
  }

  /// Their cost grows with their number: this took a minute where each looked at all the rest.
  @Test func manyEmptyNotes() throws {
    var bytes = Self.elf([
      Segment(address: 0, contents: []), Segment(address: 0, contents: Self.page(1)),
    ])
    let notes = [UInt8](repeating: 0, count: 12 * 60_000) + [1]
    bytes[64] = 4
    Self.put(UInt64(bytes.count), &bytes, at: 64 + 8)
    Self.put(UInt64(notes.count), &bytes, at: 64 + 32)
    #expect(try read(bytes + notes).count == 1)
  }

  @Test func whatIsBehindTheRangesIsNoRange() throws {
    let whole = Self.lime([(0, 3), (10, 2)])
    for found in try readBoth(whole + [UInt8](repeating: 0, count: 10_000)) {
      #expect(found.pages.count == 5)
      #expect(found.remarks.map(\.weight) == [.note])
    }
    for found in try readBoth(whole + [UInt8](repeating: 5, count: 10_000)) {
      #expect(found.pages.count == 5)
      #expect(found.remarks.map(\.weight) == [.incomplete])
    }
  }

  /// Segments that show the same bytes of the file at the same addresses, as QEMU's `-p` writes them.
  @Test func viewsOfTheSameBytesAreOne() throws {
    var bytes = Self.elf([
      Segment(address: 0x3000, contents: Self.page(3) + Self.page(4) + Self.page(5)),
      Segment(address: 0x4000, contents: []), Segment(address: 0x3000, contents: []),
      Segment(address: 0x5000, contents: []),
    ])
    // The second shows the page in the middle and the one behind it, the third the first page, the fourth the last.
    let start = Self.number(bytes, at: 64 + 8)
    for (segment, offset, size) in [(1, 1, 2), (2, 0, 1), (3, 2, 1)] as [(Int, UInt64, UInt64)] {
      Self.put(start + offset << 12, &bytes, at: 64 + 56 * segment + 8)
      Self.put(size << 12, &bytes, at: 64 + 56 * segment + 32)
      Self.put(size << 12, &bytes, at: 64 + 56 * segment + 40)
    }
    #expect(try read(bytes).mapValues(\.1) == [3: 3, 4: 4, 5: 5])
    // One of them shows other bytes there.
    Self.put(start + 0x800, &bytes, at: 64 + 56 + 8)
    let error = #expect(throws: CheckpointError.self) { try read(bytes) }
    #expect(error?.kind == .damaged && error?.reason.hasPrefix("overlaps") == true)
  }

  private static func put(_ value: UInt64, _ bytes: inout [UInt8], at place: Int) {
    for byte in 0..<8 { bytes[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
  }

  private static func number(_ bytes: [UInt8], at place: Int) -> UInt64 {
    (0..<8).reduce(0) { $0 | UInt64(bytes[place + $1]) << (8 * UInt64($1)) }
  }

  /// The kernel's image beside its RAM segment: in it, beginning with it, as long as it, longer, alone.
  @Test(arguments: [(4, 2), (4, 4), (3, 4), (3, 8), (6, 8), (20, 2)])
  func theKernelsImageFillsOnlyGaps(_ start: Int, _ count: Int) throws {
    let kernel = Segment(
      address: UInt64(start) << 12, contents: (0..<count).flatMap { _ in Self.page(7) },
      virtual: 0xffff_ffff_8100_0000)
    let memory = Segment(address: 4 << 12, contents: (0..<4).flatMap { _ in Self.page(1) })
    for segments in [[kernel, memory], [memory, kernel]] {
      let found = try read(Self.elf(segments))
      let expected = Dictionary(
        (4..<8).map { (PFN($0), UInt8(1)) } + (start..<start + count).map { (PFN($0), UInt8(7)) },
        uniquingKeysWith: { first, _ in first })
      #expect(found.mapValues(\.1) == expected)
    }
  }

  /// As in copies of /proc/kcore.
  @Test func segmentsWithoutAddresses() throws {
    let found = try readBoth(
      Self.elf([
        Segment(address: .max, contents: Self.page(9)),
        Segment(address: 0x1000, contents: Self.page(1), virtual: 0xffff_8880_0000_1000),
      ]))
    for found in found {
      #expect(found.pages.mapValues(\.1) == [1: 1])
      #expect(found.remarks.map(\.weight) == [.note])
    }
    // Of a process, or of an old kernel: all are 0.
    let error = #expect(throws: CheckpointError.self) {
      try read(
        Self.elf([
          Segment(address: 0, contents: Self.page(1), virtual: 0x40_0000),
          Segment(address: 0, contents: Self.page(2), virtual: 0x7fff_0000_0000),
        ]))
    }
    #expect(error?.kind == .refused && error?.reason.contains("no physical addresses") == true)
  }

  /// Notes that are odd do not keep the memory from being captured, and what is not understood is kept.
  @Test(arguments: ["none", "zeros", "cut", "oversized", "garbage", "aligned"])
  func oddNotes(_ oddity: String) throws {
    func note(_ name: String, _ contents: [UInt8], alignment: Int) -> [UInt8] {
      var writer = WireWriter()
      writer.write(UInt32(name.utf8.count + 1))
      writer.write(UInt32(contents.count))
      writer.write(UInt32(1))
      func pad() {
        let rest = writer.bytes.count % alignment
        if rest > 0 { writer.write([UInt8](repeating: 0, count: alignment - rest)) }
      }
      writer.write(Array(name.utf8) + [0])
      pad()
      writer.write(contents)
      pad()
      return writer.bytes
    }
    let alignment = oddity == "aligned" ? 8 : 4
    let sound =
      note("CORE", [UInt8](repeating: 0x55, count: 336), alignment: alignment)
      + note("QEMU", [UInt8](repeating: 0x66, count: 437), alignment: alignment)
    let notes: [UInt8] =
      switch oddity {
      case "zeros": sound + [UInt8](repeating: 0, count: 1021)
      case "cut": Array(sound.dropLast(100))
      case "oversized":
        note("CORE", [UInt8](repeating: 0x55, count: 336), alignment: 4)
          + [5, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0] + Array("CORE".utf8) + [0, 0, 0, 0, 1, 2, 3]
      case "garbage": sound + [UInt8](repeating: 0xee, count: 77)
      default: sound
      }
    var bytes = Self.elf([
      Segment(address: 0, contents: []), Segment(address: 0, contents: Self.page(1)),
    ])
    bytes[64] = 4
    Self.put(UInt64(bytes.count), &bytes, at: 64 + 8)
    Self.put(UInt64(notes.count), &bytes, at: 64 + 32)
    Self.put(UInt64(alignment), &bytes, at: 64 + 48)
    let folder = try TestFolder()
    try folder.write(bytes + notes, as: "core")
    let input = try InputStream(folder.path("core"))
    let source = try FormatTable.recognise(input).open(input, kdump: KdumpSource.open)
    var payloads: [[UInt8]] = []
    var pages = 0
    while let event = try source.next() {
      if case .record(let record) = event, let payload = record.payload { payloads.append(payload) }
      if case .pages(let batch) = event { pages += batch.pages.count }
    }
    #expect(pages == 1)
    let isOdd = ["cut", "oversized", "garbage"].contains(oddity)
    #expect(source.facts.remarks.map(\.weight) == (isOdd ? [.warning] : []))
    #expect(payloads.count == (oddity == "garbage" ? 3 : 2), "\(payloads.map(\.count))")
    #expect(payloads.first == note("CORE", [UInt8](repeating: 0x55, count: 336), alignment: 4))
    // What is understood and what is not are all there was, but for padding.
    if oddity != "aligned" {
      let kept = payloads.flatMap { $0 }
      #expect(kept.elementsEqual(notes.prefix(kept.count)) || oddity == "cut")
    }
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
      header: 1, reason: "overlaps another one at address 0x800"),
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
