package import CheckpointCodec
package import CheckpointImage

/// The pages that `makedumpfile` leaves out of a dump at a level from 0 to 31, by its own rules, which are simpler than
/// ours: a sum of 1 (zero pages), 2 (page cache), 4 (page cache with private data), 8 (memory of processes) and
/// 16 (free pages). It takes everything on the lists of reclaimable pages for page cache: dirty, mapped, tmpfs.
///
/// The rules are those of its version 1.7.9. An older one may leave out more of a kernel that is newer than itself: 1.7.8
/// does not know the pages of compound pages of Linux 7.1 for what they are; 1.7.6 finds no free pages since 6.12.
package struct DumpLevel: Hashable, Sendable {
  /// The sum.
  package let rawValue: Int

  /// A level; nil unless it is from 0 to 31.
  package init?(_ level: Int) {
    guard (0...31).contains(level) else { return nil }
    rawValue = level
  }

  /// Whether pages of zeros are stored once for all (level 1). They remain marked as present.
  package var sharesZeroPages: Bool { rawValue & 1 != 0 }

  /// The pages to be left out, as it sees them in a guest's memory.
  ///
  /// - Parameter isPresent: whether the memory to be dumped has a page; others decide nothing.
  /// - Throws: `.refused` if the kernel does not describe its descriptors.
  package func plan(
    of guest: LinuxGuest, isPresent: (PFN) -> Bool = { _ in true }
  ) throws(CheckpointError) -> EvictionPlan {
    var plan = EvictionPlan()
    // Without a level that needs them it does not look at the descriptors at all.
    guard rawValue > 1 else { return plan }
    // What VMCOREINFO says is all that it knows.
    let layout = try DescriptorLayout(guest.information, nil)
    let array = try DescriptorArray(of: guest, layout)
    var next = 0
    try array.read(array.units, from: guest.memory) { unit, bytes in
      let pages = array.pages(of: unit)
      for pfn in pages where pfn >= next && isPresent(PFN(pfn)) {
        let page = layout.descriptor(in: bytes, at: (pfn - pages.lowerBound) * layout.byteCount)
        guard page.compound & 1 == 0, let (reason, order) = verdict(on: page, pfn, layout) else {
          continue
        }
        next = pfn + 1 << order
        plan.evict(PFN(pfn)..<PFN(min(next, array.pageCount)), reason)
        // It begins every section anew, wherever the last block ended.
        next = min(next, array.sectionEnd(after: pfn))
      }
    }
    return plan
  }

  /// Why a page is left out, and how many after it: 2^order in all. Nil if it is not.
  private func verdict(
    on page: PageDescriptor, _ pfn: Int, _ layout: DescriptorLayout
  ) -> (EvictionReason, order: Int)? {
    let (flags, types) = (layout.flags, layout.types)
    let isSlab = page.type == types.slab || page.flags & flags.slab != 0
    let isAnonymous = page.mapping & 1 != 0 && !isSlab
    let isCache =
      page.flags & flags.lru != 0
      || page.flags & flags.swapCache != 0
        && (flags.swapBacked == 0 || page.flags & flags.swapBacked != 0)
    let isPrivate = page.flags & flags.privateData != 0
    let isAligned = page.order < 32 && pfn & ((1 << Int(page.order)) - 1) == 0
    let order = isAligned ? Int(page.order) : 0

    if has(16), !isSlab, page.type == types.buddy {
      return page.privateData < UInt64(layout.orders) ? (.free, Int(page.privateData)) : nil
    }
    if has(16), page.type == types.unaccepted { return (.free, max(layout.orders - 1, 0)) }
    if isCache, !isAnonymous {
      if has(2), !isPrivate { return (.cleanPageCache, order) }
      if has(4) { return (isPrivate ? .privateCache : .cleanPageCache, order) }
    }
    if has(8), isAnonymous || page.isHugeTLB { return (.user, order) }
    // Neither has contents of any use, whatever the level.
    if page.flags & flags.poisoned != 0 { return (.balloon, order) }
    if !isSlab, page.type == types.offline { return (.balloon, order) }
    return nil
  }

  private func has(_ bit: Int) -> Bool { rawValue & bit != 0 }
}
