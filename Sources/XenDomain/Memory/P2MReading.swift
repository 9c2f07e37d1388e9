#if Xen
internal import CXen
internal import CheckpointImage

extension P2MTable {
  /// The most PFNs a domain may have: room for a guest that gave nearly all its memory back.
  static func limit(_ state: DomainState) -> UInt64 { 16 * state.pages + (1 << 20) }

  /// Reads the table of a live domain.
  init(
    of state: DomainState, _ layout: PVLayout, _ machineToPhysical: MachineToPhysical,
    _ hypervisor: Hypervisor
  ) throws(CheckpointError) {
    func unreadable(_ what: String) -> CheckpointError {
      CheckpointError(.io, "cannot map \(what)", file: "domain \(state.id)")
    }
    let sharedInfo = try ForeignPages([xen_pfn_t(state.sharedInfo)], of: state.id, hypervisor)
    guard sharedInfo.isMapped(0) else { throw unreadable("shared_info") }
    try self.init(
      sharedInfo: sharedInfo.page(0), layout, frameLimit: machineToPhysical.count,
      limit: Self.limit(state)
    ) { frames throws(CheckpointError) in
      var words: [UInt64] = []
      words.reserveCapacity(frames.count * PageTable.entryCount)
      for start in stride(from: 0, to: frames.count, by: ForeignPages.maximum) {
        let batch = frames[start..<min(start + ForeignPages.maximum, frames.count)]
        let pages = try ForeignPages(batch.map { xen_pfn_t($0) }, of: state.id, hypervisor)
        for place in 0..<batch.count {
          guard pages.isMapped(place) else { throw unreadable("a page of the P2M") }
          pages.page(place).appendWords(to: &words)
        }
      }
      return words
    }
  }
}
#endif
