#if Xen
internal import CheckpointImage

/// A page table of a PV guest, on its way into an image: machine frames become PFNs, and what Xen put there
/// for itself goes, as it differs from host to host.
struct PageTable {
  /// Entries of a table.
  static let entryCount = 512
  /// Set in a machine frame that stands in the place of a PFN because no page of the domain has it: no PFN is that
  /// high.
  static let foreignMark: PFN = 1 << 39

  /// An entry that cannot be stored: it is no entry of this guest.
  struct BadEntry: Error, Equatable {
    /// Its place in the table.
    let index: Int
    /// The entry.
    let entry: UInt64
  }

  private static let present: UInt64 = 1
  private static let large: UInt64 = 1 << 7
  private static let frameMask: UInt64 = 0x000f_ffff_ffff_f000

  /// 1 to 4: the page type without the mark of a pinned table.
  let level: Int
  /// Levels of the guest's tables: 4, or 3 if it has 32 bits.
  let guestLevels: Int

  /// The level of a page of that type; nil if it is no page table.
  static func level(of type: PageType) -> Int? {
    let level = Int(type & 7)
    return (1...4).contains(level) ? level : nil
  }

  /// The machine frame an entry names.
  static func frame(_ entry: UInt64) -> UInt64 { (entry & frameMask) >> 12 }

  /// Translates all entries in place; `pfn` gives the PFN of a machine frame of the guest, nil for others.
  func translate(_ entries: inout [UInt64], pfn: (UInt64) -> PFN?) throws(BadEntry) {
    try translate(&entries, pfn: pfn) { (index, entry) throws(BadEntry) in
      throw BadEntry(index: index, entry: entry)
    }
  }

  /// Translates all entries in place. One that names no page of the guest keeps its machine frame, with the bits of
  /// `mark` set.
  func translate(_ entries: inout [UInt64], marking mark: PFN, pfn: (UInt64) -> PFN?) {
    translate(&entries, pfn: pfn) { _, entry in entry | mark << 12 }
  }

  private func translate<Failure>(
    _ entries: inout [UInt64], pfn: (UInt64) -> PFN?,
    other: (Int, UInt64) throws(Failure) -> UInt64
  ) throws(Failure) {
    let xen = entriesOfXen(entries, pfn: pfn)
    for index in entries.indices {
      if xen.contains(index) {
        entries[index] = 0
        continue
      }
      let entry = entries[index]
      guard entry & Self.present != 0 else { continue }
      // A superpage cannot be built again from single frames: Xen does not save it either.
      if level <= guestLevels, level == 1 || entry & Self.large == 0,
        let pfn = pfn(Self.frame(entry)), pfn << 12 & ~Self.frameMask == 0
      {
        entries[index] = entry & ~Self.frameMask | pfn << 12
      } else {
        entries[index] = try other(index, entry)
      }
    }
  }

  /// The entries that are Xen's.
  private func entriesOfXen(_ entries: [UInt64], pfn: (UInt64) -> PFN?) -> Range<Int> {
    switch (guestLevels, level) {
    case (4, 4):
      // 0xffff800000000000 to 0xffff87ffffffffff.
      return 256..<272
    case (3, 3):
      return 4..<Self.entryCount
    case (3, 2):
      // From 0xf5800000 on, but only in the one table that maps the last GiB: there the first of these
      // entries names a page of Xen.
      let first = 0xf580_0000 >> 21 & 511
      let entry = entries[first]
      let isXen = entry & Self.present != 0 && pfn(Self.frame(entry)) == nil
      return isXen ? first..<Self.entryCount : 0..<0
    default:
      return 0..<0
    }
  }
}
#endif
