package import CheckpointCodec
package import CheckpointImage

/// The pages that `makedumpfile` leaves out of a dump at a level from 0 to 31, by its own rules, which are
/// simpler than those of `PageClasses`. The level is a sum of 1 (zero pages), 2 (page cache), 4 (page cache
/// with private data), 8 (memory of processes) and 16 (free pages). Everything on the lists of reclaimable
/// pages counts as page cache: dirty, mapped, tmpfs.
///
/// The rules are those of version 1.7.9. An older version may leave out more of a kernel that is newer than
/// itself: 1.7.8 does not recognise the parts of compound pages of Linux 7.1; 1.7.6 finds no free pages since
/// 6.12.
package struct DumpLevel: Hashable, Sendable {
  /// The sum, 0 to 31.
  package let rawValue: Int

  /// A level; nil unless it is from 0 to 31.
  package init?(_ level: Int) {
    guard (0...31).contains(level) else { return nil }
    rawValue = level
  }

  /// Whether zero pages share one copy (level 1). They are still marked as present.
  package var sharesZeroPages: Bool { rawValue & 1 != 0 }

  /// The pages to leave out of a dump of this guest.
  ///
  /// - Parameter isPresent: whether the dumped memory has a page; others are ignored.
  /// - Throws: `.refused` if the kernel does not describe its descriptors.
  package func plan(
    of guest: LinuxGuest, isPresent: (PFN) -> Bool = { _ in true }
  ) throws(CheckpointError) -> EvictionPlan {
    var plan = EvictionPlan()
    // Without a level that needs them, the descriptors are not read at all.
    guard rawValue > 1 else { return plan }
    // makedumpfile knows only VMCOREINFO, no type information.
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
        // Every section starts anew, wherever the last block ended.
        next = min(next, array.sectionEnd(after: pfn))
      }
    }
    return plan
  }

  /// The reason to leave a page out, and the order of the block it begins; nil if it stays.
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
    // These have no useful contents, whatever the level.
    if page.flags & flags.poisoned != 0 { return (.balloon, order) }
    if !isSlab, page.type == types.offline { return (.balloon, order) }
    return nil
  }

  private func has(_ bit: Int) -> Bool { rawValue & bit != 0 }
}
