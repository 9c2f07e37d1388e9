import CheckpointImage
import Storage
import TestSupport
import Testing

@testable import CheckpointCodec

/// Files read in pieces whose memory is used again.
@Suite struct ReadAheadTests {
  /// What was read stays as it was, whatever is read afterwards, by whichever thread.
  @Test(arguments: [1, 3]) func partsOutliveTheirPieces(pieces: Int) throws {
    var random = SplitMix64.forTest("partsOutliveTheirPieces")
    let folder = try TestFolder()
    let contents = random.bytes(5 << 20 | 12_345)
    try folder.write(contents, as: "file")
    let file = ReadAhead(try LocalFile(folder.path("file")), pieces: pieces)
    let pool = WorkerPool(width: 4)
    let ranges = (0..<400).map { _ in
      let start = Int.random(in: 0..<contents.count, using: &random)
      return start..<min(start + Int.random(in: 0...300_000, using: &random), contents.count)
    }
    let parts = ranges.map { range in
      pool.start { () throws(CheckpointError) in
        try file.slice(at: UInt64(range.lowerBound), count: range.count)
      }
    }
    for (range, part) in zip(ranges, parts) {
      let isSame = try part.wait() == contents[range]
      #expect(isSame, "bytes \(range)")
    }
  }

  /// The same array takes a long range, a short one and a long one again; a copy of it keeps what it has.
  @Test func anArrayIsReplaced() throws {
    let folder = try TestFolder()
    let contents = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    try folder.write(contents, as: "file")
    let file = try LocalFile(folder.path("file"))
    var bytes: [UInt8] = []
    var copy: [UInt8] = []
    for range in [0..<70_000, 69_990..<70_000, 30_000..<100_000] as [Range<UInt64>] {
      let before = copy
      try file.fetch(range, into: &bytes)
      #expect(bytes == Array(contents[Int(range.lowerBound)..<Int(range.upperBound)]))
      #expect(copy == before)
      copy = bytes
    }
    #expect(throws: CheckpointError.self) { try file.fetch(99_999..<100_001, into: &bytes) }
    #expect(copy == Array(contents[30_000...]))
  }
}
