#if Xen
internal import CheckpointChain
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Operations

extension Chain {
  /// Fails if no guest can go on from this moment, or not as it was.
  func checkRestorable() throws(CheckpointError) {
    try Restore.checkRestorable(self)
    let history = try tip.provenance()
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
      let history = try tip.provenance()
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

  /// Fails if a page that the guest counts on could not be read.
  private func checkPages() throws(CheckpointError) {
    guard images.contains(where: { $0.root.count(.unreadable) > 0 }) else { return }
    for number in nodes.map(\.block) {
      for (slot, entry) in (try pages(ofBlock: number) ?? []).enumerated()
      where entry.status.state == .unreadable {
        let pfn = number * UInt64(Limits.blockPages) + UInt64(slot)
        throw refused("PFN \(pfn) is unreadable: the guest could not go on without it")
      }
    }
  }

  private func refused(_ reason: String) -> CheckpointError {
    CheckpointError(.refused, "cannot become a running domain: \(reason)", file: tip.name)
  }
}
#endif
