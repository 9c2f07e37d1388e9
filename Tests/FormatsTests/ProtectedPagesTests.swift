@testable import CheckpointCodec
import CheckpointImage
import Formats
import TestSupport
import Testing

/// Pages that a restore needs are told from the records, by the offsets of Xen's public headers.
@Suite struct ProtectedPagesTests {
  /// One page, of which some words are set.
  private final class StartInfo: PhysicalMemory {
    let limit: PFN = 1000
    let words: [Int: [UInt8]]

    init(_ words: [Int: [UInt8]]) { self.words = words }

    func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int) throws(CheckpointError)
      -> [Int]
    {
      guard Array(pfns) == [77] else { return Array(pfns.indices) }
      buffer.clear(slot)
      for (offset, bytes) in words {
        for (index, byte) in bytes.enumerated() { buffer.set(byte, slot, offset + index) }
      }
      return []
    }
  }

  private static func bytes(_ value: UInt64, _ count: Int = 8) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
  }

  private static func vcpu(_ id: UInt64, size: Int, _ words: [(Int, UInt64)], width: Int)
    -> MachineRecord
  {
    var body = [UInt8](repeating: 0, count: 8 + size)
    body.replaceSubrange(0..<4, with: bytes(id, 4))
    for (offset, value) in words {
      body.replaceSubrange(8 + offset..<8 + offset + width, with: bytes(value, width))
    }
    return MachineRecord(.libxc, .epoch, type: 4, payload: body)
  }

  private static let p2m = MachineRecord(
    .libxc, .sticky, type: 3,
    payload: bytes(0) + bytes(11) + bytes(12))

  @Test func wideGuest() throws {
    let first = Self.vcpu(
      0, size: 5168,
      [
        (616, 77), (4832, 21), (4840, 22), (4848, 23), (4960, 513), (5008, 31 << 12),
        (4992, 32 << 12 | 1),
      ], width: 8)
    // Another processor has no start_info in that register, and here no page table of user mode.
    let second = Self.vcpu(
      1, size: 5168, [(616, 99), (5008, 33 << 12), (4992, 34 << 12)], width: 8)
    let memory = StartInfo([56: Self.bytes(41), 72: Self.bytes(42)])
    #expect(
      try ProtectedPages.pfns([Self.p2m, first, second], in: memory)
        == [11, 12, 77, 21, 22, 31, 32, 33, 41, 42])
    #expect(
      try ProtectedPages.pfns([first], in: nil) == [77, 21, 22, 31, 32])
  }

  @Test func narrowGuest() throws {
    // The upper bits of a frame are folded into the lower bits of CR3.
    let vcpu = Self.vcpu(
      0, size: 2800,
      [(524, 77), (2640, 21), (2704, 1), (2716 + 12, 31 << 12 | 2), (2716 + 4, 32 << 12 | 1)],
      width: 4)
    let memory = StartInfo([44: Self.bytes(41, 4), 52: Self.bytes(42, 4)])
    #expect(
      try ProtectedPages.pfns([vcpu], in: memory) == [77, 21, 2 << 20 | 31, 41, 42])
  }

  @Test func parameters() throws {
    let values: [(UInt64, UInt64)] = [
      (1, 0xfeffc), (2, 9), (5, 0xfeff0), (6, 0), (12, 0xff00_0000), (17, 0xfefff),
      (32, 0xfeff4), (33, 2), (37, 128 << 32 | 0xfc00_1000),
    ]
    let payload =
      Self.bytes(UInt64(values.count)) + values.flatMap { Self.bytes($0) + Self.bytes($1) }
    #expect(
      try ProtectedPages.pfns(
        [MachineRecord(.libxc, .epoch, type: 10, payload: payload)], in: nil)
        == [0xfeffc, 0xfeff0, 0xff000, 0xfefff, 0xfeff4, 0xfeff5, 0xfc001])
  }

  /// Whatever a record holds, the answer is a set or an error.
  @Test func wildRecords() throws {
    var random = SplitMix64.forTest("wild records")
    var (answers, refusals) = (0, 0)
    for _ in 0..<3000 {
      let size = [0, 7, 8, 24, 200, 2808, 5176].randomElement(using: &random) ?? 0
      let ones = Bool.random(using: &random)
      let payload = (0..<size).map { _ in
        ones ? 0xff : UInt8.random(in: 0...255, using: &random)
      }
      for type: UInt32 in [3, 4, 10] {
        do throws(CheckpointError) {
          let pfns = try ProtectedPages.pfns(
            [MachineRecord(.libxc, .epoch, type: type, payload: payload)], in: StartInfo([:]))
          // Every page has at least a word in the record; few are meant by one that has none.
          #expect(pfns.count <= size / 8 + 64, "\(pfns.count) pages of \(size) bytes")
          answers += 1
        } catch {
          #expect(error.kind == .damaged && error.structure != nil, "\(error)")
          refusals += 1
        }
      }
    }
    #expect(answers > 500 && refusals > 500, "\(answers) answers, \(refusals) refusals")
  }
}

extension PageBuffer {
  fileprivate func set(_ byte: UInt8, _ slot: Int, _ offset: Int) {
    unsafe mutableBytes(slot..<slot + 1)[offset] = byte
  }
}
