/// Up to 256 consecutive pages of one type, in 8 bytes (Spec, "Region").
package struct PageRun: Hashable, Sendable {
  /// The first PFN.
  package var pfn: PFN
  /// The number of pages, 1 to 256.
  package var count: Int
  /// The PV page type of all of them.
  package var type: PageType

  /// Makes a run.
  package init(pfn: PFN, count: Int, type: PageType) {
    self.pfn = pfn
    self.count = count
    self.type = type
  }

  /// PFN in bits 0 to 51, count - 1 in 52 to 59, type in 60 to 63.
  var packed: UInt64 { pfn | UInt64(count - 1) << 52 | UInt64(type) << 60 }

  init(packed: UInt64) {
    pfn = packed & (Limits.pfnEnd - 1)
    count = Int(packed >> 52 & 0xff) + 1
    type = UInt8(packed >> 60)
  }
}
