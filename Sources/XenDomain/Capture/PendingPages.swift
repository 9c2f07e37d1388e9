#if Xen
internal import CheckpointCodec
internal import CheckpointImage

/// The pages that still have to be copied for the moment being captured.
final class PendingPages {
  /// The dirty log; nil if there is none.
  var log: (any DirtyLog)?
  private let memory: any DomainMemory
  private var pages = PFNBitmap(limit: 0)
  private var wasLost = false
  /// Whether what was written to is not known: the next `update` adds every page.
  private var isUnknown = false

  init(_ memory: any DomainMemory) { self.memory = memory }

  /// Whether it was found since the last call that somebody had switched the dirty log off.
  func takeLoss() -> Bool {
    defer { wasLost = false }
    return wasLost
  }

  /// Every page of the guest: what was written to is not known.
  func addAll() throws(CheckpointError) {
    pages.formUnion(try memory.refresh(isStill: false))
    isUnknown = true
  }

  /// Pages that could not be had.
  func add(_ pfns: [PFN]) {
    for pfn in pfns { pages.insert(pfn) }
  }

  /// Takes what was written to since the last time.
  ///
  /// - Parameter isStill: the guest is suspended: all that makes up the moment is added.
  func update(isStill: Bool) throws(CheckpointError) {
    pages.formUnion(try memory.refresh(isStill: isStill))
    if let log {
      switch try log.clean(limit: memory.limit, isLast: isStill) {
      case .pages(let written): pages.formUnion(written)
      case .lost: noteLoss()
      }
    }
    if log == nil || isUnknown {
      for pfn in 0..<memory.limit where memory.status(pfn).state != .unpopulated {
        pages.insert(pfn)
      }
      isUnknown = false
    }
    if isStill { add(try memory.unloggedPages()) }
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
  }

  /// The pages with contents, ascending; they are no longer pending.
  func takePages() -> [PFN] {
    let contents = pages.members.filter { memory.status($0).state == .data }
    for pfn in contents { pages.remove(pfn) }
    return contents
  }

  /// The extents of pages without contents; nothing is pending afterwards. The pages with contents must have
  /// been taken.
  func takeStates() -> [StateExtent] {
    var states: [StateExtent] = []
    for pfn in pages.members { states.add(pfn, memory.status(pfn)) }
    pages = PFNBitmap(limit: memory.limit)
    return states
  }
}
#endif
