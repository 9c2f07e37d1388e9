package import CheckpointCodec
package import CheckpointImage
internal import Storage

/// What a Linux guest uses each of its pages for, according to the kernel's page descriptors.
///
/// Costs one pass over the descriptors (64 bytes per page of 4 KiB) and two bytes of memory per page. Nothing
/// found in the guest is trusted unless it is consistent; what is not becomes `unknown`.
package final class PageClasses {
  /// The guest that the pages belong to.
  package let guest: LinuxGuest
  private var layout: DescriptorLayout
  private var array: DescriptorArray
  /// The state in each page's own descriptor.
  private var own: [OwnState]
  private var classes: [PageClass]
  private var isPoisoned: Bool?

  /// Reads the descriptors of all pages.
  ///
  /// - Throws: `.refused` if the kernel does not say where they are or how they are laid out.
  package init(of guest: LinuxGuest) throws(CheckpointError) {
    self.guest = guest
    layout = try DescriptorLayout(guest.information, guest.types)
    array = try DescriptorArray(of: guest, layout)
    if layout.types.tables.isEmpty {
      layout.types.tables = try PageTableType.find(in: array, layout, of: guest.memory)
    }
    own = [OwnState](repeating: .unknown, count: array.pageCount)
    classes = [PageClass](repeating: .unknown, count: array.pageCount)
    try read(array.units)
    var changed: [Range<PFN>] = []
    resolve(0..<array.pageCount, &changed)
  }

  /// The class of a page.
  package subscript(_ pfn: PFN) -> PageClass {
    pfn < UInt64(classes.count) ? classes[Int(pfn)] : .unknown
  }

  /// The number of pages of each class; those without a descriptor are not counted.
  package var counts: [PageClass: Int] {
    var counts = [Int](repeating: 0, count: PageClass.allCases.count)
    for `class` in classes { counts[Int(`class`.rawValue)] += 1 }
    for unit in array.units where array.frames(of: unit).contains(DescriptorArray.absent) {
      counts[Int(PageClass.unknown.rawValue)] -= array.pages(of: unit).count
    }
    return Dictionary(uniqueKeysWithValues: zip(PageClass.allCases, counts))
  }

  /// The number of free blocks by order: a block of order n has 2^n pages.
  package var freeBlocks: [Int] {
    var counts = [Int](repeating: 0, count: layout.orders)
    for pfn in classes.indices where classes[pfn] == .free {
      if let order = own[pfn].order, order < counts.count { counts[order] += 1 }
    }
    return counts
  }

  /// All pages that were read for this: those of the descriptors, of the page tables that map them, and of the
  /// table of sections. Ascending.
  package var descriptorFrames: [PFN] {
    array.tableFrames.union(array.frames.lazy.filter { $0 != DescriptorArray.absent }).sorted()
  }

  /// Classifies pages again that may have changed. Which types page tables have, where the kernel does not say it,
  /// stays as it was found at first: to find it takes a pass over all descriptors, and such pages are kept either way.
  ///
  /// - Parameter written: whether a page may have been written since the last pass.
  /// - Returns: the pages whose class changed, ascending.
  package func update(written: (PFN) -> Bool) throws(CheckpointError) -> [Range<PFN>] {
    guest.refresh()
    var stale: [Int] = []
    // The kernel remaps the descriptors of huge pages to save memory.
    if array.tableFrames.contains(where: written) {
      let old = array
      array = try DescriptorArray(of: guest, layout, readingInto: old.buffer)
      guard array.pageCount == old.pageCount else { return try begin() }
      stale = array.units.filter { unit in
        array.frames(of: unit) != old.frames(of: unit)
          || array.base(of: unit * array.unitPages) != old.base(of: unit * old.unitPages)
          || array.frames(of: unit).contains(where: written)
      }
    } else {
      stale = array.units.filter { array.frames(of: $0).contains(where: written) }
    }
    for unit in stale {
      for pfn in array.pages(of: unit) { own[pfn] = .unknown }
    }
    try read(stale)
    var changed: [Range<PFN>] = []
    var end = 0
    for unit in stale {
      // Free blocks never extend into another chunk.
      let pages = array.pages(of: unit)
      let start = max(end, pages.lowerBound & -chunk)
      guard start < pages.upperBound else { continue }
      end = resolve(start..<min((pages.upperBound + chunk - 1) & -chunk, own.count), &changed)
    }
    return changed
  }

  /// The pages that a policy leaves out.
  package func plan(_ policy: EvictionPolicy) throws(CheckpointError) -> EvictionPlan {
    var plan = EvictionPlan()
    guard policy > .none else { return plan }
    let keepsFree = try poisonedFreePages
    var start = 0
    while start < classes.count {
      let `class` = classes[start]
      let end = classes[start...].firstIndex { $0 != `class` } ?? classes.count
      if `class` != .free || !keepsFree {
        plan.evict(PFN(start)..<PFN(end), policy.reason(`class`))
      }
      start = end
    }
    if policy == .cache {
      var buffers = EvictionPlan()
      for pfn in try writtenBuffers() { buffers.evict(pfn..<pfn + 1, .privateCache) }
      plan.add(buffers)
    }
    return plan
  }

  /// The pages whose file system keeps buffers of them that are all on disk; ascending.
  private func writtenBuffers() throws(CheckpointError) -> [PFN] {
    guard let buffers = BufferHeads(of: guest, try guest.types) else { return [] }
    var candidates: [(pfn: Int, descriptor: UInt64, first: UInt64)] = []
    let units = array.units.lazy.filter { unit in
      self.array.pages(of: unit).contains { self.classes[$0] == .privateCache }
    }
    try array.read(units, from: guest.memory) { unit, bytes in
      let pages = array.pages(of: unit)
      for pfn in pages where classes[pfn] == .privateCache {
        let page = layout.descriptor(
          in: bytes, at: (pfn - pages.lowerBound) * layout.byteCount)
        guard layout.isClean(page, buffered: true) else { continue }
        let descriptor = array.base(of: pfn) &+ UInt64(pfn * layout.byteCount)
        candidates.append((pfn, descriptor, page.privateData))
      }
    }
    // Buffers lie close together in few pages, unless a guest wants this to take long.
    candidates.sort { $0.first < $1.first }
    let most = guest.pages.copied + 256 + Int(clamping: guest.memory.limit / 8)
    var written: [PFN] = []
    for candidate in candidates where guest.pages.copied < most {
      if try buffers.areOnDisk(candidate.first, of: candidate.descriptor) {
        written.append(PFN(candidate.pfn))
      }
    }
    return written.sorted()
  }

  /// Whether the kernel fills free pages with a pattern and checks it when it uses them again
  /// (`page_poison=1`). Zeros after a restore would be reported as damaged memory, so such pages are kept.
  package var poisonedFreePages: Bool {
    get throws(CheckpointError) {
      if let isPoisoned { return isPoisoned }
      let free = classes.indices.lazy.filter { self.classes[$0] == .free }.map { PFN($0) }
      let found = try FreePagePoison.isFound(in: Array(free), of: guest.memory)
      isPoisoned = found
      return found
    }
  }

  /// Discards everything and reads all descriptors. The class of any page may change, also of pages that no
  /// longer have a descriptor.
  private func begin() throws(CheckpointError) -> [Range<PFN>] {
    let count = max(classes.count, array.pageCount)
    own = [OwnState](repeating: .unknown, count: array.pageCount)
    classes = [PageClass](repeating: .unknown, count: array.pageCount)
    try read(array.units)
    var changed: [Range<PFN>] = []
    resolve(0..<array.pageCount, &changed)
    return [0..<PFN(count)]
  }

  private func read(_ units: some Sequence<Int>) throws(CheckpointError) {
    let size = layout.byteCount
    try array.read(units, from: guest.memory) { unit, bytes in
      let pages = array.pages(of: unit)
      let base = array.base(of: pages.lowerBound)
      for pfn in pages {
        let page = layout.descriptor(in: bytes, at: (pfn - pages.lowerBound) * size)
        own[pfn] = layout.state(of: page, pfn, base: base)
      }
    }
  }

  /// The number of pages in a chunk: no free block extends over its borders.
  private var chunk: Int { max(1 << max(layout.orders - 1, 0), array.unitPages) }

  /// Derives classes of pages from their descriptors, from the start of a chunk to the end of one, and to the
  /// end of a compound page that continues there.
  ///
  /// - Returns: one past the last page whose class was derived.
  @discardableResult
  private func resolve(_ pages: Range<Int>, _ changed: inout [Range<PFN>]) -> Int {
    var pfn = pages.lowerBound
    // The current compound page: its first page, or -1.
    var (head, headClass) = compound(before: pfn)
    while pfn < own.count, pfn < pages.upperBound || own[pfn].isTail {
      let state = own[pfn]
      var next = pfn + 1
      var found = state.ownClass
      if state.isTail {
        // The first page must be the nearest preceding page that is not a tail itself.
        if state.head(of: pfn) != head { (head, headClass) = (-1, .unknown) }
        found = headClass
      } else if let order = state.order {
        next = min(pfn + 1 << order, own.count)
        let isWhole =
          next - pfn == 1 << order && own[(pfn + 1)..<next].allSatisfy { $0 == .idle }
        found = isWhole ? .free : .unknown
        head = -1
      } else {
        (head, headClass) = state.isHead ? (pfn, found) : (-1, .unknown)
      }
      set(pfn..<next, found, &changed)
      pfn = next
    }
    return pfn
  }

  /// The compound page of the preceding page, as `resolve` left it.
  private func compound(before pfn: Int) -> (Int, PageClass) {
    guard pfn > 0 else { return (-1, .unknown) }
    let before = pfn - 1
    if own[before].isHead { return (before, classes[before]) }
    return own[before].isTail ? (own[before].head(of: before), classes[before]) : (-1, .unknown)
  }

  private func set(_ pages: Range<Int>, _ found: PageClass, _ changed: inout [Range<PFN>]) {
    for pfn in pages where classes[pfn] != found {
      classes[pfn] = found
      changed.join(PFN(pfn)..<PFN(pfn) + 1)
    }
  }
}
