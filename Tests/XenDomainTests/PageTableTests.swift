#if Xen
internal import CheckpointImage
internal import TestSupport
internal import Testing

@testable internal import XenDomain

/// Page tables on their way into an image.
@Suite struct PageTableTests {
  /// Frames 0x1000 to 0x1fff are the guest's, as PFNs 0 to 0xfff.
  private func pfn(_ frame: UInt64) -> PFN? {
    (0x1000..<0x2000).contains(frame) ? frame - 0x1000 : nil
  }
  private let empty = [UInt64](repeating: 0, count: PageTable.entryCount)

  @Test func framesBecomePFNs() throws {
    var entries = empty
    entries[0] = 0x8000_0000_0123_4067
    entries[1] = 0x0010_0000_01ff_f801
    // Without the present bit an entry is the guest's own business.
    entries[2] = 0x0000_00ab_cdef_0f00
    try PageTable(level: 1, guestLevels: 4).translate(&entries, pfn: pfn)
    #expect(entries[0] == 0x8000_0000_0023_4067)
    #expect(entries[1] == 0x0010_0000_00ff_f801)
    #expect(entries[2] == 0x0000_00ab_cdef_0f00)
    #expect(entries[3...].allSatisfy { $0 == 0 })
  }

  @Test func foreignFramesAreNamed() {
    var entries = empty
    entries[7] = 0x100_0001
    entries[9] = 0x200_0001
    #expect(throws: PageTable.BadEntry(index: 9, entry: 0x200_0001)) {
      try PageTable(level: 1, guestLevels: 4).translate(&entries, pfn: pfn)
    }
  }

  @Test func superpagesAreRefused() throws {
    for level in 2...4 {
      var entries = empty
      entries[3] = 0x100_0081
      #expect(throws: PageTable.BadEntry(index: 3, entry: 0x100_0081)) {
        try PageTable(level: level, guestLevels: 4).translate(&entries, pfn: pfn)
      }
    }
    // In the lowest level the bit means something else.
    var entries = empty
    entries[3] = 0x100_0081
    try PageTable(level: 1, guestLevels: 4).translate(&entries, pfn: pfn)
    #expect(entries[3] == 0x81)
  }

  @Test func entriesOfXenGo() throws {
    // Whatever they name: it is not the guest's.
    var top = [UInt64](repeating: 0x100_0001, count: PageTable.entryCount)
    for index in 256..<272 { top[index] = 0xdead_b001 }
    try PageTable(level: 4, guestLevels: 4).translate(&top, pfn: pfn)
    for index in top.indices { #expect(top[index] == ((256..<272).contains(index) ? 0 : 1)) }

    var pae = empty
    pae[3] = 0x100_0001
    pae[4] = 0xdead_b001
    try PageTable(level: 3, guestLevels: 3).translate(&pae, pfn: pfn)
    #expect(pae[3] == 1 && pae[4...].allSatisfy { $0 == 0 })
  }

  @Test func entriesOfXenIn32Bits() throws {
    let first = 428  // 0xf5800000 / 2 MiB, below 1 GiB
    var mapped = [UInt64](repeating: 0x100_0001, count: PageTable.entryCount)
    mapped[first] = 0xdead_b001
    try PageTable(level: 2, guestLevels: 3).translate(&mapped, pfn: pfn)
    #expect(mapped[..<first].allSatisfy { $0 == 1 } && mapped[first...].allSatisfy { $0 == 0 })
    // An ordinary table keeps them all.
    var ordinary = [UInt64](repeating: 0x100_0001, count: PageTable.entryCount)
    try PageTable(level: 2, guestLevels: 3).translate(&ordinary, pfn: pfn)
    #expect(ordinary.allSatisfy { $0 == 1 })
    var absurd = ordinary
    #expect(throws: PageTable.BadEntry.self) {
      try PageTable(level: 4, guestLevels: 3).translate(&absurd, pfn: pfn)
    }
  }

  @Test func levelsOfTypes() {
    #expect(
      (0...15).map { PageTable.level(of: $0) } == [
        nil, 1, 2, 3, 4, nil, nil, nil, nil, 1, 2, 3, 4, nil, nil, nil,
      ])
  }

  /// Xen's own entries go, the guest's become PFNs, and all others can be told from those.
  @Test func foreignFramesAreMarked() {
    var entries = empty
    entries[0] = 0x0123_4067
    entries[1] = 0x8000_0000_0020_0001
    entries[2] = 0x0020_0000
    entries[256] = 0x0123_4067
    PageTable(level: 4, guestLevels: 4).translate(&entries, marking: 1 << 39, pfn: pfn)
    #expect(entries[0] == 0x0023_4067)
    #expect(entries[1] == 0x8008_0000_0020_0001)
    #expect(entries[2] == 0x0020_0000)
    #expect(entries[256] == 0)
  }

  /// Whatever the entries: only the frames of present ones change, and all of those are the guest's.
  @Test func randomEntries() {
    var random = SplitMix64.forTest("randomEntries")
    for _ in 0..<200 {
      let original = (0..<PageTable.entryCount).map { _ -> UInt64 in
        // Mostly good entries, or no table would pass.
        random.next() % 600 == 0
          ? random.next()
          : random.next() & ~0x000f_ffff_ffff_f080 | (0x1000 + random.next() % 0x1000) << 12
      }
      let level = Int(random.next() % 4) + 1
      let levels = random.next() % 2 == 0 ? 3 : 4
      var entries = original
      do throws(PageTable.BadEntry) {
        try PageTable(level: level, guestLevels: levels).translate(&entries, pfn: pfn)
        for (before, after) in zip(original, entries) where after != 0 {
          #expect(before & 1 == 0 ? before == after : PageTable.frame(after) < 0x1000)
          #expect(before & 0xfff0_0000_0000_0fff == after & 0xfff0_0000_0000_0fff)
        }
      } catch {
        #expect(original[error.index] == error.entry && error.entry & 1 == 1)
      }
    }
  }
}
#endif
