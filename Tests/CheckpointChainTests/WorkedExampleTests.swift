import CheckpointChain
@testable import CheckpointCodec
import CheckpointImage
import Glibc
import Storage
import TestSupport
import Testing

/// The specification's worked example is what this library writes, to the byte.
///
/// With `VMCKPT_WRITE_EXAMPLE=1` in the environment the page is brought up to date instead.
@Suite struct WorkedExampleTests {
  private static let page = "Spec/image-format.md"
  private static let begin = "<!-- example -->"
  private static let end = "<!-- end of example -->"

  @Test func specificationShowsWhatIsWritten() throws {
    let bench = try ChainBench()
    try writeExample(bench)
    #expect(try bench.findings("example-2.ckpt") == [])
    let example =
      "\n### The base\n\n" + (try Self.listing(bench.folder.bytes("example-1.ckpt")))
      + "\n### The increment\n\n" + (try Self.listing(bench.folder.bytes("example-2.ckpt"))) + "\n"

    let root = try #require(#filePath.firstRange(of: "/Tests/")).lowerBound
    let path = #filePath[..<root] + "/" + Self.page
    let file = try LocalFile(String(path))
    let text = String(decoding: try file.bytes(at: 0, count: Int(file.length)), as: UTF8.self)
    let start = try #require(text.firstRange(of: Self.begin)).upperBound
    let stop = try #require(text.firstRange(of: Self.end)).lowerBound
    guard unsafe getenv("VMCKPT_WRITE_EXAMPLE") == nil else {
      let output = try OutputFile(String(path), force: true, sync: false)
      try output.write(Array((text[..<start] + "\n" + example + text[stop...]).utf8))
      try output.commit()
      return
    }
    #expect(text[start..<stop] == "\n" + example, "\(Self.page) is not what is written")
  }

  /// Two moments of a guest with four pages.
  private func writeExample(_ bench: ChainBench) throws {
    let policy = SourceEvent.record(
      MachineRecord(.libxc, .fixed, type: 0x11, payload: Array("policy".utf8)))
    let registers = { (text: String) in
      SourceEvent.record(MachineRecord(.libxc, .epoch, type: 7, payload: Array(text.utf8)))
    }
    try write(
      [policy, pages([(0, "A"), (1, "\0"), (2, "B"), (3, "D")]), registers("before")],
      number: 1, bench)
    let evicted = StateExtent(
      pfn: 1, count: 1, status: PageStatus(.evicted, reason: .balloon))
    try write(
      [policy, pages([(0, "A")]), .states(evicted), pages([(2, "C")]), registers("after")],
      number: 2, bench)
  }

  private func pages(_ contents: [(PFN, Character)]) -> SourceEvent {
    var batch = PageBatch(buffer: PageBuffer(), pages: [])
    for (pfn, letter) in contents {
      let byte = letter.asciiValue ?? 0
      batch.buffer.write(
        [UInt8](repeating: byte, count: Limits.pageSize), to: batch.pages.count)
      batch.pages.append(PageBatch.Page(pfn: pfn))
    }
    return .pages(batch)
  }

  private func write(_ events: [SourceEvent], number: UInt8, _ bench: ChainBench) throws {
    let parent = number > 1 ? try Chain.open(bench.path("example-\(number - 1).ckpt")) : nil
    let output = try OutputFile(bench.path("example-\(number).ckpt"), force: false, sync: false)
    let header = ImageHeader(
      architecture: .x86, captureID: [UInt8](repeating: number, count: 16),
      parent: parent?.checkpointID, parentName: parent == nil ? "" : "example-\(number - 1).ckpt",
      ascendingUnique: true)
    let writer = try ImageWriter(header, parent: parent, to: output)
    try Pipeline(EventList(events), on: bench.pool)
      .digestPages()
      .dropUnchanged(parent)
      .packRegions()
      .compress(CodecSettings(codec: .none), proving: true)
      .run(into: writer)
    var provenance = Provenance()
    provenance.add("action", "capture")
    _ = try writer.seal([provenance], complete: true)
    try output.commit()
  }

  /// Each segment's kind and its bytes, 16 a line; lines that only repeat the one before are a star.
  private static func listing(_ bytes: [UInt8]) throws -> String {
    let image = try ResealedImage(bytes)
    var lines = ["```"]
    for (index, segment) in image.segments.enumerated() {
      let end = index + 1 < image.segments.count ? image.segments[index + 1].offset : bytes.count
      lines.append("\(index): \(segment.kind?.name ?? "?")")
      var last: ArraySlice<UInt8> = []
      for start in stride(from: segment.offset, to: end, by: 16) {
        let row = bytes[start..<min(start + 16, end)]
        if row.elementsEqual(last), start + 16 < end {
          if lines.last != "*" { lines.append("*") }
          continue
        }
        last = row
        lines.append(
          hexadecimal(start, 6) + "  " + row.map { hexadecimal(Int($0), 2) }.joined(separator: " "))
      }
    }
    lines.append("```\n")
    return lines.joined(separator: "\n")
  }

  private static func hexadecimal(_ value: Int, _ width: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
