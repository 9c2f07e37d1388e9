#if Xen
import CheckpointCodec
import CheckpointImage
import Storage
import Testing

@testable import XenDomain

/// How much there is to read of a guest, it says itself.
@Suite struct BoundedMemoryTests {
  /// Memory of which every page can be had.
  private final class AnyMemory: PhysicalMemory {
    let limit: PFN = 1 << 20

    func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int)
      throws(CheckpointError) -> [Int]
    { [] }
  }

  @Test func allDescriptorsCanBeReadAndNotMuchMore() throws {
    let memory = BoundedMemory(AnyMemory(), Cancellation())
    let buffer = PageBuffer(pages: 64)
    let pfns = (0..<64).map { PFN($0) }
    for _ in 0..<2 {
      memory.limitReading()
      var read: UInt64 = 0
      let error = #expect(throws: CheckpointError.self) {
        while read < 1 << 21 {
          _ = try memory.copy(pfns[...], to: buffer, at: 0)
          read += 64
        }
      }
      #expect(error?.kind == .refused)
      // A descriptor is a 64th of its page.
      #expect(read >= memory.limit / 64 && read <= memory.limit / 8)
    }
    memory.allowReading()
    for _ in 0..<1 << 15 { #expect(try memory.copy(pfns[...], to: buffer, at: 0).isEmpty) }
  }
}
#endif
