@testable import CheckpointCodec
import CheckpointImage
import TestSupport
import Testing

/// Pages come back from every codec; compressed bytes that lie about their size are refused.
@Suite struct RegionCodecTests {
  private static func batch(_ count: Int, noise: Bool, _ random: inout SplitMix64) -> PageBatch {
    var batch = PageBatch(buffer: PageBuffer(), pages: [])
    for slot in 0..<count {
      let page =
        noise
        ? random.bytes(Limits.pageSize)
        : [UInt8](repeating: UInt8(slot % 7), count: Limits.pageSize)
      unsafe page.withUnsafeBytes { source in
        unsafe batch.buffer.mutableBytes(slot..<slot + 1).copyMemory(from: source)
      }
      batch.pages.append(PageBatch.Page(pfn: PFN(slot * 3), type: slot % 2 == 0 ? 0 : 4))
    }
    return batch
  }

  private static func expand(_ body: [UInt8]) throws -> [UInt8] {
    let header = try RegionHeader(parsing: body.rawSpan, at: 0)
    let buffer = PageBuffer()
    try RegionCodec().decode(body.rawSpan, header, into: buffer, at: 0, offset: 0)
    return unsafe buffer.bytes(0..<header.pageCount).withUnsafeBytes { unsafe Array($0) }
  }

  @Test(arguments: CodecID.allCases) func pagesComeBack(codec: CodecID) throws {
    var random = SplitMix64.forTest("codec \(codec)")
    for level in [CodecSettings.levels(codec).lowerBound, CodecSettings.levels(codec).upperBound] {
      for (count, noise) in [(1, false), (1, true), (64, false), (256, false), (17, true)] {
        let batch = Self.batch(count, noise: noise, &random)
        let region = RegionCodec().encode(
          batch, 0..<count, CodecSettings(codec: codec, level: level))
        let header = try RegionHeader(parsing: region.body.rawSpan, at: 0)
        // Noise does not become smaller, and is then stored as it is.
        #expect(header.codec == (noise ? .none : codec))
        #expect(region.live.map(\.pfn) == batch.pages.map(\.pfn))
        let source = unsafe batch.buffer.bytes(0..<count).withUnsafeBytes { unsafe Array($0) }
        #expect(try Self.expand(Array(region.body)) == source)
      }
    }
  }

  /// The compressed bytes of 8 pages under a header that declares 7 or 9.
  @Test(arguments: [CodecID.zlib, .zstd]) func declaredSizeIsKept(codec: CodecID) throws {
    var random = SplitMix64.forTest("declared size")
    let batch = Self.batch(8, noise: false, &random)
    let region = RegionCodec().encode(batch, 0..<8, CodecSettings(codec: codec))
    let header = try RegionHeader(parsing: region.body.rawSpan, at: 0)
    for declared in [1, 7, 9, 256] {
      let lie = RegionHeader(codec: codec, runs: [PageRun(pfn: 0, count: declared, type: 0)])
      let body = lie.encoded() + region.body.dropFirst(header.byteCount)
      let error = #expect(throws: CheckpointError.self) { try Self.expand(body) }
      #expect(error?.kind == .damaged)
    }
  }
}
