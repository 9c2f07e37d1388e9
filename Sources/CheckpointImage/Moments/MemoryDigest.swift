/// The tree of hashes over a guest's memory (Spec, "Digests and identities").
///
/// It depends on the memory alone, not on how or in how many images it is stored.
package struct MemoryDigest {
  /// Levels of nodes: level 0 covers 512 pages, level 5 all of them.
  package static let levels = 6

  private let hasher = SHA256Hasher()
  /// Leaves of pages without contents, by status; there are only a few.
  private var plainLeaves: [PageStatus: Digest] = [:]

  /// Makes a computation; it may serve many blocks.
  package init() {}

  /// The leaf of one page: SHA-256(0, state, type, reason, content digest).
  package mutating func leaf(_ entry: PageEntry) -> Digest {
    guard entry.status.state != .data else { return hashLeaf(entry) }
    if let known = plainLeaves[entry.status] { return known }
    let digest = hashLeaf(entry)
    plainLeaves[entry.status] = digest
    return digest
  }

  private func hashLeaf(_ entry: PageEntry) -> Digest {
    let head: [4 of UInt8] = [
      0, entry.status.state.rawValue, entry.status.type, entry.status.reason.rawValue,
    ]
    unsafe hasher.update(head.span.bytes)
    hasher.update(entry.digest)
    return hasher.finish()
  }

  /// The level-0 node of a block given its 512 pages; nil if none of them is populated.
  package mutating func block(_ pages: Span<PageEntry>) -> Digest? {
    var occupancy = PageSet()
    var leaves: [Digest] = []
    leaves.reserveCapacity(Limits.blockPages)
    for slot in 0..<Limits.blockPages where pages[slot].status.state != .unpopulated {
      occupancy[slot] = true
      leaves.append(leaf(pages[slot]))
    }
    return leaves.isEmpty ? nil : node(level: 0, occupancy, leaves)
  }

  /// The level-0 node of a block given its populated pages, at least one, and their leaves.
  package func block(_ occupancy: PageSet, _ leaves: [Digest]) -> Digest {
    node(level: 0, occupancy, leaves)
  }

  /// A node: SHA-256(1, level, occupancy, digests of the children present).
  func node(level: UInt8, _ occupancy: PageSet, _ children: [Digest]) -> Digest {
    let head: [2 of UInt8] = [1, level]
    unsafe hasher.update(head.span.bytes)
    unsafe hasher.update(occupancy.words.span.bytes)
    hasher.update(children)
    return hasher.finish()
  }
}
