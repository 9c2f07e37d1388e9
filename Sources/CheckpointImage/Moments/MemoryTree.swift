/// The level-0 nodes of a moment's memory with the levels above them (Spec, "Digests and identities").
///
/// A change computes only the nodes on its way to the top; copies share what is the same.
package struct MemoryTree: Sendable {
  /// A node of level 1 or above.
  private struct Node: Sendable {
    var occupancy = PageSet()
    /// The digests of the children present, ascending.
    var digests: [Digest] = []
    /// The children themselves; none at level 1, whose children are blocks.
    var children: [Node] = []

    func digest(_ slot: Int) -> Digest? {
      occupancy[slot] ? digests[occupancy.rank(of: slot)] : nil
    }

    func child(_ slot: Int) -> Node {
      occupancy[slot] ? children[occupancy.rank(of: slot)] : Node()
    }
  }

  private static let topLevel = MemoryDigest.levels - 1

  private var top = Node()
  /// The number of blocks with a populated page.
  package private(set) var count = 0
  /// The memory digest.
  package private(set) var root: Digest

  /// The tree of a memory without pages.
  package init() {
    root = MemoryDigest().node(level: UInt8(Self.topLevel), top.occupancy, top.digests)
  }

  /// The level-0 node of a block; nil if no page there is populated.
  package subscript(block: BlockNumber) -> Digest? {
    var node = top
    for level in stride(from: Self.topLevel, to: 1, by: -1) {
      node = node.child(Self.slot(block, level))
    }
    return node.digest(Self.slot(block, 1))
  }

  /// Replaces the nodes of some blocks, given in ascending order; nil takes a block away.
  package mutating func update(_ changes: [(block: BlockNumber, node: Digest?)]) {
    let digest = Self.update(
      &top, level: Self.topLevel, changes[...], &count, MemoryDigest())
    if let digest { root = digest }
  }

  /// Changes blocks under `node`. Returns its digest; nil if nothing is left under it.
  private static func update(
    _ node: inout Node, level: Int, _ changes: ArraySlice<(block: BlockNumber, node: Digest?)>,
    _ count: inout Int, _ hasher: MemoryDigest
  ) -> Digest? {
    var rest = changes
    while let first = rest.first {
      let slot = slot(first.block, level)
      let place = node.occupancy.rank(of: slot)
      let isPresent = node.occupancy[slot]
      let digest: Digest?
      if level == 1 {
        rest.removeFirst()
        digest = first.node
        count += (digest == nil ? 0 : 1) - (isPresent ? 1 : 0)
      } else {
        let shift = 9 * UInt64(level - 1)
        let end =
          rest.firstIndex { $0.block.value >> shift != first.block.value >> shift }
          ?? rest.endIndex
        if !isPresent { node.children.insert(Node(), at: place) }
        digest = update(&node.children[place], level: level - 1, rest[..<end], &count, hasher)
        if digest == nil { node.children.remove(at: place) }
        rest = rest[end...]
      }
      switch (digest, isPresent) {
      case (let digest?, true): node.digests[place] = digest
      case (let digest?, false): node.digests.insert(digest, at: place)
      case (nil, true): node.digests.remove(at: place)
      case (nil, false): break
      }
      node.occupancy[slot] = digest != nil
    }
    guard level == topLevel || !node.digests.isEmpty else { return nil }
    return hasher.node(level: UInt8(level), node.occupancy, node.digests)
  }

  private static func slot(_ block: BlockNumber, _ level: Int) -> Int {
    Int(block.value >> (9 * UInt64(level - 1)) & 511)
  }
}

extension MemoryTree {
  /// The blocks whose nodes are not those of `other`, ascending. What is the same in both is passed over as a
  /// whole.
  package func blocks(differingFrom other: MemoryTree) -> [BlockNumber] {
    var found: [BlockNumber] = []
    Self.compare(top, other.top, level: Self.topLevel, prefix: 0, &found)
    return found
  }

  private static func compare(
    _ a: Node, _ b: Node, level: Int, prefix: UInt64, _ found: inout [BlockNumber]
  ) {
    for slot in 0..<Limits.blockPages where a.digest(slot) != b.digest(slot) {
      let number = prefix << 9 | UInt64(slot)
      if level == 1 {
        found.append(BlockNumber(number))
      } else {
        compare(a.child(slot), b.child(slot), level: level - 1, prefix: number, &found)
      }
    }
  }
}

extension MemoryTree: Sequence {
  /// The blocks with a populated page, ascending, with their level-0 nodes.
  package func makeIterator() -> [(block: BlockNumber, digest: Digest)].Iterator {
    var blocks: [(block: BlockNumber, digest: Digest)] = []
    blocks.reserveCapacity(count)
    Self.list(top, level: Self.topLevel, prefix: 0, &blocks)
    return blocks.makeIterator()
  }

  private static func list(
    _ node: Node, level: Int, prefix: UInt64, _ blocks: inout [(block: BlockNumber, digest: Digest)]
  ) {
    for (place, slot) in node.occupancy.members.enumerated() {
      let number = prefix << 9 | UInt64(slot)
      if level == 1 {
        blocks.append((BlockNumber(number), node.digests[place]))
      } else {
        list(node.children[place], level: level - 1, prefix: number, &blocks)
      }
    }
  }
}
