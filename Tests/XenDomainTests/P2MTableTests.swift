#if Xen
internal import CheckpointImage
internal import TestSupport
internal import Testing

@testable internal import XenDomain

/// The P2M table of a guest that lives in this test: its machine memory is a few pages.
@Suite struct P2MTableTests {
  /// Machine memory: pages of 512 words by frame.
  private typealias Machine = [UInt64: [UInt64]]
  private static let frameLimit: UInt64 = 0x10_0000

  private func sharedInfo(
    _ layout: PVLayout, count: UInt64, cr3: UInt64 = 0, address: UInt64 = 0, list: UInt64 = 0
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Limits.pageSize)
    layout.set(count, in: &bytes, at: layout.maximumPFN)
    layout.set(cr3, in: &bytes, at: layout.tableCR3)
    layout.set(address, in: &bytes, at: layout.tableAddress)
    layout.set(list, in: &bytes, at: layout.frameListList)
    return bytes
  }

  private func table(
    _ sharedInfo: [UInt8], _ layout: PVLayout, _ machine: Machine, limit: UInt64 = 1 << 24
  ) throws(CheckpointError) -> P2MTable {
    try unsafe P2MTable(
      sharedInfo: sharedInfo.span.bytes, layout, frameLimit: Self.frameLimit, limit: limit
    ) { frames throws(CheckpointError) in
      var words: [UInt64] = []
      for frame in frames {
        guard let page = machine[frame] else { throw CheckpointError(.io, "cannot map") }
        words += page
      }
      return words
    }
  }

  private func page(_ entries: [Int: UInt64], other: UInt64 = 0) -> [UInt64] {
    (0..<512).map { entries[$0] ?? other }
  }

  /// A linear table of two leaves behind four levels; the second level-1 entry is the last.
  private var linear: Machine {
    [
      0x10: page([273: 0x11 << 12 | 0x67]),
      0x11: page([1: 0x12 << 12 | 0x67]),
      0x12: page([2: 0x13 << 12 | 0x67]),
      0x13: page([511: 0x20 << 12 | 0x67, 510: 0x21 << 12 | 0x67]),
      0x20: page([0: 0x500, 1: 0xffff_ffff_ffff_ffff, 2: 0x4000_0000_0000_0002], other: 0x501),
      0x21: page([:], other: 0x502),
    ]
  }
  private let address: UInt64 = 0xffff_0000_0000_0000 | 273 << 39 | 1 << 30 | 2 << 21 | 510 << 12

  @Test func linearTable() throws {
    let layout = PVLayout(width: 8)
    let found = try table(
      sharedInfo(layout, count: 1000, cr3: 0x10 << 12, address: address), layout, linear)
    #expect(found.leaves == [0x21, 0x20])
    #expect(found.frames.count == 1000)
    #expect(found.frames[..<512].allSatisfy { $0 == 0x502 })
    // Neither "no page" nor the marks that a guest sets in its own entries are frames.
    #expect(found.frames[512] == 0x500)
    #expect(found.frames[513] == P2MTable.none && found.frames[514] == P2MTable.none)
    #expect(found.frames[999] == 0x501)
  }

  @Test func treeOfLists() throws {
    let layout = PVLayout(width: 8)
    let machine: Machine = [
      0x10: page([0: 0x11]), 0x11: page([0: 0x20, 1: 0x21]),
      0x20: page([0: 0x500], other: .max), 0x21: page([:], other: .max),
    ]
    let found = try table(sharedInfo(layout, count: 600, list: 0x10), layout, machine)
    #expect(found.leaves == [0x20, 0x21] && found.frames.count == 600)
    #expect(found.frames.filter { $0 != P2MTable.none } == [0x500])
  }

  @Test func treeOf32Bits() throws {
    let layout = PVLayout(width: 4)
    let machine: Machine = [
      0x10: page([0: 0x11]), 0x11: page([0: 0x21 << 32 | 0x20]),
      0x20: page([0: 0xffff_ffff << 32 | 0x500], other: .max), 0x21: page([:], other: .max),
    ]
    let found = try table(sharedInfo(layout, count: 1025, list: 0x10), layout, machine)
    #expect(found.leaves == [0x20, 0x21] && found.frames.count == 1025)
    #expect(found.frames.filter { $0 != P2MTable.none } == [0x500])
  }

  /// Linux lets the rest of a table for memory that may come be one page of "no page" again and again.
  @Test func repeatedEndIsCut() throws {
    let layout = PVLayout(width: 8)
    var machine: Machine = [
      0x10: page([273: 0x11 << 12 | 0x67]), 0x11: page([0: 0x12 << 12 | 0x67]),
      0x12: page([0: 0x13 << 12 | 0x67], other: 0x14 << 12 | 0x67),
    ]
    machine[0x13] = page([:], other: 0x20 << 12 | 0x67)
    machine[0x14] = page([:], other: 0x21 << 12 | 0x67)
    machine[0x20] = page([:], other: 0x500)
    machine[0x21] = page([:], other: .max)
    let start: UInt64 = 0xffff_0000_0000_0000 | 273 << 39
    let found = try table(
      sharedInfo(layout, count: 1 << 26, cr3: 0x10 << 12, address: start), layout, machine)
    #expect(found.frames.count == 1 << 18)
  }

  @Test func absurdClaims() {
    let layout = PVLayout(width: 8)
    for count: UInt64 in [0, 1 << 33, .max] {
      #expect(throws: CheckpointError.self) {
        try table(
          sharedInfo(layout, count: count, cr3: 0x10 << 12, address: address), layout, linear)
      }
    }
    // More PFNs than it may have; no address of a guest; Xen's own; no frame of this host.
    #expect(throws: CheckpointError.self) {
      try table(
        sharedInfo(layout, count: 1000, cr3: 0x10 << 12, address: address), layout, linear,
        limit: 999)
    }
    for address: UInt64 in [
      0x0000_8000_0000_0000, 0xffff_8000_0000_0000, 0xffff_ffff_ffff_f000, address + 8,
    ] {
      #expect(throws: CheckpointError.self) {
        try table(
          sharedInfo(layout, count: 1000, cr3: 0x10 << 12, address: address), layout, linear)
      }
    }
    for cr3: UInt64 in [1, 0x99 << 12, .max] {
      #expect(throws: CheckpointError.self) {
        try table(sharedInfo(layout, count: 1000, cr3: cr3, address: address), layout, linear)
      }
    }
  }

  /// Page tables that lead to themselves, lists of anything: an answer within the limit or an error.
  @Test func randomMachine() {
    var random = SplitMix64.forTest("randomMachine")
    var answers = 0
    for _ in 0..<300 {
      let layout = PVLayout(width: random.next() % 2 == 0 ? 8 : 4)
      var machine: Machine = [:]
      for frame: UInt64 in 1...6 {
        machine[frame] = (0..<512).map { _ in
          switch random.next() % 400 {
          case 0: random.next()
          case 1: 0
          default: layout.width == 8 ? (random.next() % 6 + 1) << 12 | 1 : (random.next() % 6 + 1)
          }
        }
      }
      let info = sharedInfo(
        layout, count: random.next() >> (random.next() % 64),
        cr3: random.next() % 2 == 0 ? 1 << 12 : 0,
        address: random.next() >> (random.next() % 64) & ~0xfff, list: 1)
      if let found = try? table(info, layout, machine, limit: 1 << 20) {
        answers += 1
        #expect(found.frames.count <= 1 << 20)
        #expect(found.frames.allSatisfy { $0 == P2MTable.none || $0 < Self.frameLimit })
      }
    }
    print("randomMachine: \(answers) tables were read")
  }
}
#endif
