import CheckpointImage
import TestSupport
import Testing

@testable import GuestMemory

/// A page whose file system keeps buffers of it is left out only if all of them are on disk.
@Suite struct BufferHeadsTests {
  private static let descriptor: UInt64 = 0xffff_ea00_0000_1000
  /// Up to date, and with a place on the disk.
  private static let onDisk: UInt64 = 1 << 0 | 1 << 4

  /// What is asked of a page with buffers at some places, each with its flags, the next one and its page.
  private func areOnDisk(_ heads: [(flags: UInt64, next: Int, page: UInt64)]) throws -> Bool {
    let kernel = ModelKernel()
    kernel.writeText()
    let place = { (number: Int) in UInt64(0x800 + 64 * number) }
    for (number, head) in heads.enumerated() {
      let start = kernel.physical(kernel.data) + place(number)
      kernel.memory[u64: start] = head.flags
      kernel.memory[u64: start + 8] = kernel.data + place(head.next)
      kernel.memory[u64: start + 16] = head.page
    }
    var types = ModelTypes()
    let long = types.add("long unsigned int", 1, word: 8, more: [64])
    types.add(
      "buffer_head", 4,
      parts: [("b_state", long, 0), ("b_this_page", long, 64), ("b_page", long, 128)],
      word: 64)
    let flags = [
      "BH_Uptodate", "BH_Dirty", "BH_Lock", "BH_Req", "BH_Mapped", "BH_New", "BH_Boundary",
      "BH_Meta",
      "BH_Prio",
    ]
    types.add(
      "bh_state_bits", 6, values: flags.enumerated().map { ($1, Int64($0)) }, word: 4)
    let guest = try LinuxGuest.find(in: kernel.memory, kernel.clues())
    let buffers = try #require(BufferHeads(of: guest, TypeInformation(types.bytes)))
    return try buffers.areOnDisk(kernel.data + place(0), of: Self.descriptor)
  }

  @Test func ringsOfWrittenBuffersAre() throws {
    #expect(try areOnDisk([(Self.onDisk, 0, Self.descriptor)]))
    #expect(
      try areOnDisk([(Self.onDisk | 1 << 3, 1, Self.descriptor), (Self.onDisk, 0, Self.descriptor)])
    )
    #expect(try areOnDisk((0..<8).map { (Self.onDisk, ($0 + 1) % 8, Self.descriptor) }))
  }

  @Test func othersAreNot() throws {
    // Dirty, locked, new, or without a place on the disk.
    for flags in [Self.onDisk | 1 << 1, Self.onDisk | 1 << 2, Self.onDisk | 1 << 5, 1 << 0, 1 << 4]
    {
      #expect(try !areOnDisk([(flags, 0, Self.descriptor)]))
      #expect(try !areOnDisk([(Self.onDisk, 1, Self.descriptor), (flags, 0, Self.descriptor)]))
    }
    // What another file system keeps there names no page, or another one.
    #expect(try !areOnDisk([(Self.onDisk, 0, Self.descriptor + 64)]))
    // A ring that does not come back to its beginning, and one with more buffers than a page has.
    #expect(try !areOnDisk([(Self.onDisk, 1, Self.descriptor), (Self.onDisk, 1, Self.descriptor)]))
    #expect(try !areOnDisk((0..<9).map { (Self.onDisk, ($0 + 1) % 9, Self.descriptor) }))
    // Nowhere.
    #expect(try !areOnDisk([(Self.onDisk, 1 << 20, Self.descriptor)]))
  }
}
