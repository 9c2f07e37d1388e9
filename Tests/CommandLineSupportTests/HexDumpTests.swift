import CheckpointImage
import Storage
import TestSupport
import Testing

@testable import CommandLineSupport

/// Bytes are shown as hexdump(1) shows them.
@Suite(.enabled(if: Program.areThere("hexdump"))) struct HexDumpTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  /// What hexdump prints of bytes that lie at an offset of a file.
  private func expected(_ bytes: [UInt8], at offset: UInt64) throws -> String {
    let output = try OutputFile(folder.path("file"), force: true, sync: false)
    unsafe try output.write(bytes.span.bytes, at: offset)
    try output.commit()
    return String(
      decoding: try Program.run(["hexdump", "-C", "-s", "\(offset)", "file"], in: folder),
      as: UTF8.self)
  }

  private func contents(_ random: inout SplitMix64) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let row = Bool.random(using: &random) ? random.bytes(16) : [UInt8](repeating: 0, count: 16)
      bytes += [[UInt8]](repeating: row, count: Int.random(in: 1...4, using: &random)).joined()
    }
    bytes.removeLast(Int.random(in: 0..<16, using: &random))
    return bytes
  }

  @Test func pagesAreShownAsHexdumpShowsThem() throws {
    var random = SplitMix64.forTest("hexdump")
    for address: UInt64 in [0, 5, 0xfff0, 0x1234_5678, 1 << 32, (1 << 36) + 3] {
      for _ in 0..<5 {
        let bytes = contents(&random)
        var stream = ResultStream()
        var dump = HexDump(at: address)
        // In pieces, some of which are known to be zero.
        var place = 0
        while place < bytes.count {
          let zeros = bytes[place...].prefix { $0 == 0 }.count
          if zeros > 0 {
            try dump.addZeros(UInt64(zeros), to: &stream)
            place += zeros
          } else {
            let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
            unsafe try dump.add(Array(bytes[place..<end]).span.bytes, to: &stream)
            place = end
          }
        }
        try dump.end(to: &stream)
        #expect(try stream.text == expected(bytes, at: address), "\(bytes.count) bytes")
      }
    }
  }

  @Test func printsAtOnce() throws {
    var stream = ResultStream()
    try HexDump.print(Array("0123456789abcdef".utf8) + [0x7f], at: 16, to: &stream)
    #expect(
      try stream.text == expected(Array("0123456789abcdef".utf8) + [0x7f], at: 16))
  }

  /// As many zeros as an address space has cost a few lines.
  @Test(.timeLimit(.minutes(1))) func endlessZeros() throws {
    var stream = ResultStream()
    var dump = HexDump(at: 0x10)
    try dump.addZeros(.max - 0x1f, to: &stream)
    unsafe try dump.add([UInt8(1)].span.bytes, to: &stream)
    try dump.end(to: &stream)
    let lines = stream.text.split(separator: "\n")
    #expect(
      lines.map { $0.prefix(16) } == [
        "00000010  00 00 ", "*", "fffffffffffffff0", "fffffffffffffff1",
      ])
  }
}
