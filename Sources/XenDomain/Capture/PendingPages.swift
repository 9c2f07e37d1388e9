#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Glibc

/// The pages that still have to be copied for the moment being captured.
final class PendingPages {
  /// The dirty log; nil if there is none.
  var log: (any DirtyLog)?
  private let memory: any DomainMemory
  private let eviction: LiveEviction
  private var pages = PFNBitmap(limit: 0)
  /// Pages that had no contents to be copied when they were taken.
  private var others = PFNBitmap(limit: 0)
  /// What was written to since the last `classify`; nil if that is not known.
  private var unclassified: PFNBitmap?
  private var wasLost = false
  /// Whether what was written to is not known: the next `update` adds every page.
  private var isUnknown = false

  init(_ memory: any DomainMemory, _ eviction: LiveEviction) {
    self.memory = memory
    self.eviction = eviction
  }

  /// Whether it was found since the last call that somebody had switched the dirty log off.
  func takeLoss() -> Bool {
    defer { wasLost = false }
    return wasLost
  }

  /// Every page of the guest: what was written to is not known. What the guest uses its pages for is found out anew.
  func addAll() throws(CheckpointError) {
    pages.formUnion(try memory.refresh(isStill: false))
    isUnknown = true
    try eviction.begin()
    // The tables of a PV guest may have named frames that it did not have yet when its P2M was read.
    for _ in 0..<2 where memory.guest == .pv && eviction.isHindered {
      usleep(100_000)
      pages.formUnion(try memory.refresh(isStill: false))
      try eviction.begin()
    }
    unclassified = PFNBitmap(limit: 0)
  }

  /// Pages that could not be had.
  func add(_ pfns: [PFN]) {
    for pfn in pfns { pages.insert(pfn) }
  }

  /// Takes what was written to since the last time.
  ///
  /// - Parameter isStill: the guest is suspended: all that makes up the moment is added.
  func update(isStill: Bool) throws(CheckpointError) {
    var written = try memory.refresh(isStill: isStill)
    if let log {
      switch try log.clean(limit: memory.limit, isLast: isStill) {
      case .pages(let logged): written.formUnion(logged)
      case .lost: noteLoss()
      }
    } else {
      unclassified = nil
    }
    if isStill { for pfn in try memory.unloggedPages() { written.insert(pfn) } }
    pages.formUnion(written)
    unclassified?.formUnion(written)
    if log == nil || isUnknown {
      for pfn in 0..<memory.limit where memory.status(pfn).state != .unpopulated {
        pages.insert(pfn)
      }
      isUnknown = false
    }
  }

  /// Finds out which pages need not be copied, after an `update`.
  ///
  /// - Parameter needed: those that must be; nil if they are not known yet.
  func classify(needed: PFNBitmap? = nil) throws(CheckpointError) {
    pages.formUnion(try eviction.update(written: unclassified, needed: needed))
    unclassified = PFNBitmap(limit: memory.limit)
  }

  /// How many pages there would be to copy now; nil if it is not known.
  func estimate() throws(CheckpointError) -> Int? {
    guard let log, !isUnknown else { return nil }
    switch try log.peek(limit: memory.limit) {
    case .pages(let written): return written.count + pages.count
    case .lost:
      // To find that out switched the log on again: no later reading shows what was lost.
      noteLoss()
      return nil
    }
  }

  private func noteLoss() {
    wasLost = true
    isUnknown = true
    unclassified = nil
  }

  /// The pages with contents, ascending; they are no longer pending.
  func takePages() -> [PFN] {
    var contents: [PFN] = []
    for pfn in pages.members {
      if eviction.status(pfn).state == .data { contents.append(pfn) } else { others.insert(pfn) }
    }
    pages = PFNBitmap(limit: memory.limit)
    return contents
  }

  /// The extents of pages that are not copied; nothing is pending afterwards. The pages with contents must have
  /// been taken.
  func takeStates() -> [StateExtent] {
    var states: [StateExtent] = []
    for pfn in others.members {
      let status = eviction.status(pfn)
      // A page that got contents since was taken as one of those.
      if status.state != .data { states.add(pfn, status) }
    }
    others = PFNBitmap(limit: memory.limit)
    return states
  }
}
#endif
