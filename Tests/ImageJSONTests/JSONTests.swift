import CheckpointCodec
import CheckpointImage
import FoundationEssentials
import ImageJSON
import Storage
import TestSupport
import Testing

/// An image as JSON and back.
@Suite struct JSONTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  /// A small image: a record, two regions, states, provenance, index, root, trailer.
  private func smallImage() throws -> [UInt8] {
    let output = try OutputFile(folder.path("small"), force: true, sync: false)
    let header = ImageHeader(architecture: .x86, captureID: [UInt8](repeating: 7, count: 16))
    let writer = try ImageWriter(header, to: output)
    let record = MachineRecord(.libxc, .epoch, type: 9, payload: [1, 2, 3])
    let states = StateExtent(pfn: 9, count: 3, status: PageStatus(.zero))
    var pages = (0..<3).map { PageBatch.Page(pfn: UInt64($0)) }
    pages[2].type = 4
    let events: [SourceEvent] = [
      .record(record), .states(states), .layout(.frame(.libxc, type: 0)),
      .pages(PageBatch(buffer: try filled(), pages: pages)),
    ]
    try Pipeline(EventList(events), on: WorkerPool(width: 1))
      .digestPages()
      .packRegions()
      .compress(CodecSettings(), proving: false)
      .run(into: writer)
    var provenance = Provenance()
    provenance.add("action", "capture")
    _ = try writer.seal([provenance], complete: true, layout: .exact)
    try output.commit()
    return try folder.bytes("small")
  }

  /// Three pages that are not zero.
  private func filled() throws -> PageBuffer {
    try folder.write(
      (0..<3 * 4096).map { UInt8(truncatingIfNeeded: $0 / 7 + 1) }, as: "pages")
    let buffer = PageBuffer()
    let input = try InputStream(folder.path("pages"))
    try input.read(pages: 0..<3, of: buffer, "pages")
    return buffer
  }

  private func decode(_ bytes: [UInt8]) throws -> [UInt8] {
    try folder.write(bytes, as: "image")
    var decoder = try ImageDecoder(LocalFile(folder.path("image")))
    var parts: [String] = []
    while let form = try decoder.next() {
      parts.append(String(decoding: try JSONEncoder().encode(form), as: UTF8.self))
    }
    return Array("[\(parts.joined(separator: ",\n"))]".utf8)
  }

  private func encode(_ json: [UInt8]) throws -> [UInt8] {
    try folder.write(json, as: "json")
    var reader = SegmentFormReader(try InputStream(folder.path("json")))
    let output = try OutputFile(folder.path("back"), force: true, sync: false)
    var encoder = ImageEncoder(to: output)
    while let form = try reader.read() { try encoder.add(form) }
    try output.commit()
    return try folder.bytes("back")
  }

  @Test func sameBytes() throws {
    let image = try smallImage()
    let json = try decode(image)
    #expect(try encode(json) == image)
    // Nothing that follows from the rest is in it.
    let text = String(decoding: json, as: UTF8.self)
    for name in ["Checksum", "Digest", "Ordinal", "Body", "Bytes", "Nodes", "Counts", "Offset"] {
      #expect(!text.contains("\"\(name)"), "\(name)")
    }
  }

  /// Whatever is wrong with a file, it comes back as it was.
  @Test func sameBytesOfDamagedFiles() throws {
    var random = SplitMix64.forTest("sameBytesOfDamagedFiles")
    let image = try smallImage()
    let headerEnd = 160
    for round in 0..<300 {
      var damaged = image
      for _ in 0...round % 3 {
        let place = Int.random(in: headerEnd..<damaged.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: damaged.removeSubrange(place...)
        case 1: damaged.insert(contentsOf: random.bytes(8), at: place)
        default: damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
        if damaged.count <= headerEnd { damaged = image }
      }
      #expect(try encode(decode(damaged)) == damaged)
    }
  }

  /// A field that was changed is sealed again: the image opens, and its digests are right.
  @Test func sealedAgain() throws {
    let image = try smallImage()
    let json = String(decoding: try decode(image), as: UTF8.self)
    let changed = json.replacing("\"AQID\"", with: "\"BAUGBw==\"")
      .replacing("\"capture\"", with: "\"captured\"")
    #expect(changed != json)
    let back = try encode(Array(changed.utf8))
    #expect(back != image)
    try folder.write(back, as: "changed")
    let opened = try ImageFile(folder.path("changed"))
    #expect(
      opened.root.state
        == Identity.machineState([
          MachineRecord(.libxc, .epoch, type: 9, payload: [4, 5, 6, 7]).key
        ]))
    for block in try opened.blocks() { _ = try opened.indexBlock(block) }
    for entry in opened.root.directory { _ = try opened.body(of: entry) }
  }

  /// JSON that is not what decode prints is refused or makes some file; it never traps.
  @Test func hostileJSON() throws {
    var random = SplitMix64.forTest("hostileJSON")
    let json = try decode(smallImage())
    let values = [
      "0", "-1", "4294967296", "18446744073709551615", "18446744073709551616", "1e300", "\"\"",
      "\"data\"", "\"zz\"", "null", "[]", "{}", "true", "4503599627370496", "65536", "256", "255",
    ].map { Array($0.utf8) }
    var refused = 0
    for _ in 0..<600 {
      var changed = json
      // Replace some value behind a colon, or any byte.
      if Bool.random(using: &random) {
        let places = changed.indices.filter { changed[$0] == 0x3a }
        guard let place = places.randomElement(using: &random) else { continue }
        let end =
          changed[(place + 1)...].firstIndex { [0x2c, 0x7d, 0x5d].contains($0) } ?? changed.endIndex
        changed.replaceSubrange(
          place + 1..<end, with: values.randomElement(using: &random) ?? [])
      } else {
        let place = Int.random(in: 0..<changed.count, using: &random)
        changed[place] = UInt8.random(in: 0...255, using: &random)
      }
      do {
        _ = try encode(changed)
      } catch let error as CheckpointError {
        #expect([.damaged, .refused, .unsupported].contains(error.kind), "\(error)")
        refused += 1
      }
    }
    #expect(refused > 100)
  }

  @Test(arguments: [
    ("", "expected a list of segments"), ("{}", "expected a list of segments"),
    ("[", "segment 0: expected an object"), ("[1]", "segment 0: expected an object"),
    ("[[]]", "segment 0: expected an object"), ("[{}", "expected one of Header"),
    ("[{\"Kind\":3}]", "expected one of Header"),
    ("[{\"Header\":{}}]", "Header/Alignment_Shift is missing"),
    ("[{\"Header\":{\"a\":\"}]\"}}]", "Header/Alignment_Shift is missing"),
    ("[{\"Bytes\":1}]", "segment 0: Bytes: "),
    ("[{\"Trailer\":{}}]", "the first segment has to be the Header"),
    (
      "[" + String(repeating: "{\"a\":", count: 100_000) + "1"
        + String(repeating: "}", count: 100_000) + "]", "segment 0: "
    ),
  ])
  func refused(_ text: String, saying what: String) throws {
    let error = #expect(throws: CheckpointError.self) { _ = try encode(Array(text.utf8)) }
    #expect(error?.kind == .refused)
    #expect(error?.description.contains(what) == true, "\(error?.description.prefix(200) ?? "")")
  }

  /// A list that is sound up to where it ends, or does not.
  @Test(arguments: [
    ("", "expected , or ]"), (",", "expected an object"), (",]", "expected an object"),
    ("] x", "more text after the list"), ("]]", "more text after the list"),
  ])
  func refusedAtItsEnd(_ end: String, saying what: String) throws {
    let json = try decode(smallImage()).dropLast()
    let error = #expect(throws: CheckpointError.self) { _ = try encode(json + Array(end.utf8)) }
    #expect(error?.kind == .refused && error?.file == folder.path("json"))
    #expect(error?.description.contains(what) == true, "\(error as Any)")
  }

  @Test func emptyList() throws {
    #expect(try encode(Array(" [ ] \n".utf8)).isEmpty)
  }
}
