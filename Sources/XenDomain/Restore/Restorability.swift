#if Xen
internal import CheckpointChain
internal import CheckpointCodec
internal import CheckpointImage
internal import Interchange

extension Chain {
  /// Fails if no guest can go on from this moment, or not as it was.
  func checkRestorable() throws(CheckpointError) {
    try Restore.checkRestorable(tip)
    let history = try Merge.provenance(of: tip)
    let captured = history.lastIndex { $0["action"] == "capture" } ?? 0
    if history[captured...].contains(where: { $0["action"] == "salvage" }) {
      throw refused("was salvaged: what it lacks, the guest would miss while it runs")
    }
    try checkPages()
    // What this finds must not be found when the domain has been begun.
    try ChainSource.checkLayout(of: self)
  }

  /// The snapshot of the disks that was made in the moment's pause; nil if none is recorded.
  var diskSnapshot: String? {
    get throws(CheckpointError) {
      let history = try Merge.provenance(of: tip)
      return history.last { $0["action"] == "capture" }?["hook.snapshot"]
    }
  }

  /// Xen's type of the guest.
  var guestType: XenStream.GuestType {
    get throws(CheckpointError) {
      for record in try completeRecords()
      where record.key.namespace == .streamHeader
        && record.key.type == XenStream.Header.domain.rawValue
      {
        if let first = record.payload?.first,
          let type = XenStream.GuestType(rawValue: UInt32(first))
        {
          return type
        }
      }
      throw refused("was not captured from a guest of Xen")
    }
  }

  /// libxl's JSON or the text that xl keeps with a guest; nil if the image has none.
  var keptConfiguration: [UInt8]? {
    get throws(CheckpointError) {
      try completeRecords().first {
        $0.key.namespace == .xl && $0.key.type == XenStream.XLPart.configuration.rawValue
      }?.payload
    }
  }

  /// Fails if a page that the guest counts on is not there. Only index blocks of images that have such pages are
  /// looked at.
  private func checkPages() throws(CheckpointError) {
    guard
      images.contains(where: { $0.root.count(.evicted) > 0 || $0.root.count(.unreadable) > 0 })
    else { return }
    for number in nodes.map(\.block) {
      for (slot, entry) in (try pages(ofBlock: number) ?? []).enumerated() {
        let pfn = number * UInt64(Limits.blockPages) + UInt64(slot)
        switch (entry.status.state, entry.status.reason) {
        case (.unreadable, _):
          throw refused("PFN \(pfn) is unreadable: the guest could not go on without it")
        case (.evicted, .free), (.evicted, .balloon): break
        case (.evicted, let reason):
          throw refused(
            "PFN \(pfn) is evicted (\(reason)): the guest would take zeros for its contents")
        default: break
        }
      }
    }
  }

  private func refused(_ reason: String) -> CheckpointError {
    CheckpointError(.refused, "cannot become a running domain: \(reason)", file: tip.name)
  }
}
#endif
