@testable import CheckpointImage
import TestSupport
import Testing

/// Every structure comes back from its bytes; and there is no other way to write it: whatever bytes
/// are accepted are those that the value read from them is written as.
@Suite struct StructureTests {
  /// Reads a body and writes it again.
  typealias Rewrite = ([UInt8]) throws(CheckpointError) -> [UInt8]

  private static func check(
    _ name: String, rounds: Int = 60, _ make: (inout SplitMix64) -> [UInt8], _ rewrite: Rewrite
  ) throws {
    var random = SplitMix64.forTest(name)
    var refused = 0
    for _ in 0..<rounds {
      let bytes = make(&random)
      #expect(try rewrite(bytes) == bytes, "\(name) comes back")
      for _ in 0..<200 {
        var changed = bytes
        switch random.int(0...3) {
        case 0: changed.removeLast(random.int(1...max(1, bytes.count)))
        case 1: changed += random.bytes(random.int(1...16))
        case 2:
          // A field of ones: counts of 2^63 and the like.
          let place = random.int(0...max(0, bytes.count - 8))
          for offset in place..<min(place + random.pick(2, 4, 8), bytes.count) {
            changed[offset] = 0xff
          }
        default: changed[random.int(0...bytes.count - 1)] ^= 1 << UInt8(random.int(0...7))
        }
        do throws(CheckpointError) {
          let rewritten = try rewrite(changed)
          #expect(rewritten == changed, "\(name) is accepted in another form")
        } catch {
          refused += 1
          #expect(error.kind == .damaged || error.kind == .unsupported || error.kind == .incomplete)
          #expect(error.structure != nil && error.offset != nil, "\(name): \(error)")
        }
      }
    }
    // A bit of a digest, of a checksum or of contents is as good as another.
    #expect(refused > rounds * 200 / 5, "\(name): \(refused) refused")
  }

  @Test func frame() throws {
    try Self.check("frame", { $0.frame().encoded() }) { bytes throws(CheckpointError) in
      // A frame is read from the start of longer bytes.
      try SegmentFrame(parsing: bytes.rawSpan, at: 0).encoded()
        + bytes.dropFirst(SegmentFrame.byteCount)
    }
  }

  @Test func header() throws {
    try Self.check("header", { $0.header().encoded() }) { bytes throws(CheckpointError) in
      try ImageHeader(parsing: bytes.rawSpan, at: 0).encoded()
    }
  }

  @Test func record() throws {
    try Self.check("record", { $0.record().encoded() }) { bytes throws(CheckpointError) in
      try MachineRecord(parsing: bytes.rawSpan, at: 0).encoded()
    }
  }

  @Test func region() throws {
    try Self.check("region", { $0.region() }) { bytes throws(CheckpointError) in
      let header = try RegionHeader(parsing: bytes.rawSpan, at: 0)
      return header.encoded() + bytes.dropFirst(header.byteCount)
    }
  }

  @Test func states() throws {
    try Self.check("states", { StateExtent.encodeList($0.states()) }) {
      bytes throws(CheckpointError) in
      StateExtent.encodeList(try StateExtent.parseList(bytes.rawSpan, at: 0))
    }
  }

  @Test func layout() throws {
    try Self.check("layout", { LayoutItem.encodeList($0.layout()) }) {
      bytes throws(CheckpointError) in
      LayoutItem.encodeList(try LayoutItem.parseList(bytes.rawSpan, at: 0))
    }
  }

  @Test func provenance() throws {
    try Self.check("provenance", { $0.provenance().encoded() }) {
      bytes throws(CheckpointError) in
      try Provenance(parsing: bytes.rawSpan, at: 0).encoded()
    }
  }

  @Test func indexBlock() throws {
    try Self.check("index block", { $0.indexBlock().encoded() }) { bytes throws(CheckpointError) in
      try IndexBlock(parsing: bytes.rawSpan, at: 0).encoded()
    }
  }

  @Test func root() throws {
    try Self.check("root", { $0.rootBody().encoded() }) { bytes throws(CheckpointError) in
      try RootBody(parsing: bytes.rawSpan, at: 0).encoded()
    }
  }

  @Test func trailer() throws {
    try Self.check("trailer", { $0.trailer().encoded() }) { bytes throws(CheckpointError) in
      try ImageTrailer(parsing: bytes.rawSpan, at: 0).encoded()
    }
  }

  @Test func unknownFeaturesAreNamed() throws {
    var header = ImageHeader(architecture: .x86, captureID: [UInt8](repeating: 1, count: 16))
    header.features.insert(Features.Feature(class: .incompatible, bit: 9, name: "time-travel"))
    header.features.insert(Features.Feature(class: .dropOnRewrite, bit: 3, name: "harmless"))
    let bytes = header.encoded()
    let error = #expect(throws: CheckpointError.self) {
      try ImageHeader(parsing: bytes.rawSpan, at: 0)
    }
    #expect(error?.kind == .unsupported)
    #expect(error?.description.contains("time-travel") == true)
    #expect(error?.description.contains("harmless") == false)
  }
}
