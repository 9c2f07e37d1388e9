#if Xen
internal import CheckpointChain
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Operations

extension Chain {
  /// The snapshot of the disks that was made in the moment's pause; nil if none is recorded.
  var diskSnapshot: String? {
    get throws(CheckpointError) {
      MomentFacts(try tip.provenance()).diskSnapshot
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

  private func refused(_ reason: String) -> CheckpointError {
    CheckpointError(.refused, "cannot become a running domain: \(reason)", file: tip.name)
  }
}
#endif
