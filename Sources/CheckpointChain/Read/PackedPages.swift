internal import CheckpointImage

/// The states and digests of a block's pages without where their contents lie: 1.5 KiB, and 32 bytes for each
/// page of data.
struct PackedPages: Sendable {
  private var statuses: [PageStatus]
  /// Those of the pages of data, ascending.
  private var digests: [Digest]

  init(_ entries: [PageEntry]) {
    statuses = entries.map(\.status)
    digests = []
    digests.reserveCapacity(entries.count { $0.status.state == .data })
    for entry in entries where entry.status.state == .data { digests.append(entry.digest) }
  }

  /// The pages; their locations mean nothing.
  var entries: [PageEntry] {
    var next = 0
    return statuses.map { status in
      var entry = PageEntry(status)
      if status.state == .data {
        entry.digest = digests[next]
        next += 1
      }
      return entry
    }
  }
}
