#if Xen
internal import CheckpointImage

extension [StateExtent] {
  /// Adds a page behind those that are there; neighbours of one state share an extent.
  mutating func add(_ pfn: PFN, _ status: PageStatus) {
    if let last, last.end == pfn, last.status == status {
      self[count - 1].count += 1
    } else {
      append(StateExtent(pfn: pfn, count: 1, status: status))
    }
  }
}
#endif
