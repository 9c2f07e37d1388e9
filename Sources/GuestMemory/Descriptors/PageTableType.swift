internal import CheckpointCodec
internal import CheckpointImage

/// The types in the descriptors of page tables; there are several where a kernel before 5.11 charges some of
/// them to a control group. Kernels before 6.11 do not state them, but they can be recognised by the contents
/// of such pages: nothing else looks like page tables throughout.
enum PageTableType {
  private static let mostTypes = 8
  private static let sample = 16

  /// - Returns: the types whose pages mostly look like page tables.
  static func find(
    in array: DescriptorArray, _ layout: DescriptorLayout, of memory: any PhysicalMemory
  ) throws(CheckpointError) -> [UInt32] {
    let types = layout.types
    var pages: [UInt32: [PFN]] = [:]
    try array.read(array.units, from: memory) { unit, bytes in
      for (place, pfn) in array.pages(of: unit).enumerated() {
        let page = layout.descriptor(in: bytes, at: place * layout.byteCount)
        guard PageTypes.isType(page.type), page.references > 0, page.compound & 1 == 0,
          ![types.buddy, types.offline, types.slab, types.hugeTLB].contains(page.type),
          pages[page.type] != nil || pages.count < mostTypes,
          pages[page.type]?.count ?? 0 < sample
        else { continue }
        pages[page.type, default: []].append(PFN(pfn))
      }
    }
    var found: [UInt32] = []
    let buffer = PageBuffer(pages: sample)
    for (type, pages) in pages {
      let unknown = try memory.copy(pages[...], to: buffer, at: 0)
      let tables = pages.indices.lazy.filter { slot in
        !unknown.contains(slot) && isTable(buffer.page(slot), memory.limit)
      }.count
      if tables * 2 > pages.count { found.append(type) }
    }
    return found
  }

  /// Whether some words are present entries, and all of these refer to a page of the guest.
  private static func isTable(_ page: RawSpan, _ limit: PFN) -> Bool {
    var present = 0
    for offset in stride(from: 0, to: page.byteCount, by: 8) {
      // SAFETY: the load checks its bounds; any bytes are a valid number.
      let entry = UInt64(
        littleEndian: unsafe page.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
      guard entry & 1 != 0 else { continue }
      guard entry >> 12 & 0xff_ffff_ffff < limit else { return false }
      present += 1
    }
    return present > 0
  }
}
