#if Xen
import CheckpointImage
import TestSupport
import Testing

@testable import XenDomain

/// A bitmap is a set of PFNs.
@Suite struct PFNBitmapTests {
  @Test func isASet() {
    var random = SplitMix64.forTest("PFNBitmapTests")
    for _ in 0..<60 {
      var bitmap = PFNBitmap(limit: PFN.random(in: 0...300, using: &random))
      var set: Set<PFN> = []
      for _ in 0..<60 {
        // Beyond the limit, too: a guest may get more pages.
        let pfn = PFN.random(in: 0...700, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1:
          bitmap.insert(pfn)
          set.insert(pfn)
        case 2:
          bitmap.remove(pfn)
          set.remove(pfn)
        case 3:
          bitmap.insert(word: Int(pfn / 64), 5)
          set.formUnion([pfn / 64 * 64, pfn / 64 * 64 + 2])
        case 4:
          var other = PFNBitmap(limit: pfn)
          other.insert(pfn)
          bitmap.formUnion(other)
          set.insert(pfn)
        default:
          #expect(bitmap.contains(pfn) == set.contains(pfn))
        }
        #expect(bitmap.count == set.count)
        #expect(bitmap.isEmpty == set.isEmpty)
      }
      #expect(bitmap.members == set.sorted())
    }
  }
}
#endif
