@testable import CheckpointImage
import TestSupport
import Testing

/// Digests and checksums against published values and a plain computation of the specification's tree.
@Suite struct DigestTests {
  @Test func publishedValues() {
    // FIPS 180-4's example, and the check value every CRC catalogue lists.
    #expect(
      SHA256Hasher.digest(of: Array("abc".utf8)).hex
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(Checksum.of(Array("123456789".utf8).rawSpan) == 0xCBF4_3926)
  }

  /// The tree as section 14 words it: from the top, over a dictionary of pages.
  private static func node(_ level: UInt8, _ number: UInt64, _ pages: [PFN: PageEntry]) -> Digest {
    var message: [UInt8] = [1, level]
    var occupancy = [UInt8](repeating: 0, count: 64)
    var children: [UInt8] = []
    let width = (0..<level).reduce(UInt64(1)) { size, _ in size * 512 }
    let present = Set(pages.keys.map { $0 / width }).filter { $0 / 512 == number }
    for child in present.sorted() {
      let place = Int(child % 512)
      occupancy[place / 8] |= 1 << UInt8(place % 8)
      let below = pages.filter { $0.key / width == child }
      children += (level == 0 ? leaf(pages[child]) : node(level - 1, child, below)).bytes
    }
    message += occupancy + children
    return SHA256Hasher.digest(of: message)
  }

  private static func leaf(_ entry: PageEntry?) -> Digest {
    guard let entry else { return .zero }
    let status = entry.status
    return SHA256Hasher.digest(
      of: [0, status.state.rawValue, status.type, status.reason.rawValue] + entry.digest.bytes)
  }

  private static func digest(_ pages: [PFN: PageEntry]) -> Digest {
    var memory = MemoryDigest()
    var nodes: [(block: BlockNumber, node: Digest?)] = []
    for number in Set(pages.keys.map { $0 / 512 }).sorted() {
      let block = (0..<512).map { pages[number * 512 + $0] ?? .unpopulated }
      if let node = memory.block(block.span) { nodes.append((BlockNumber(number), node)) }
    }
    var tree = MemoryTree()
    tree.update(nodes)
    return tree.root
  }

  @Test func memoryDigestIsTheTree() {
    var random = SplitMix64.forTest("memory digest")
    for count in [0, 1, 2, 30, 300] {
      var pages: [PFN: PageEntry] = [:]
      for _ in 0..<count {
        let status = random.status(
          PageState.allCases.filter { $0 != .unchanged && $0 != .unpopulated })
        var entry = PageEntry(status)
        if status.state == .data { entry.digest = random.digest() }
        pages[random.bool() ? random.pfn() : random.next() >> 40] = entry
      }
      #expect(Self.digest(pages) == Self.node(5, 0, pages))
    }
  }

  /// A tree that is changed again and again is the one made at once, and copies keep what they were.
  @Test func changedTreeIsTheSame() {
    var random = SplitMix64.forTest("changed tree")
    let blocks = (0..<300).map { _ in
      BlockNumber(random.bool() ? random.pfn() / 512 : random.next() >> UInt64(random.int(40...60)))
    }
    var tree = MemoryTree()
    var model: [BlockNumber: Digest] = [:]
    for _ in 0..<60 {
      let (before, root) = (tree, tree.root)
      var changes: [BlockNumber: Digest?] = [:]
      for _ in 0..<random.int(0...40) {
        let block = blocks[random.int(0...blocks.count - 1)]
        changes[block] = random.int(0...2) == 0 ? .some(nil) : random.digest()
      }
      tree.update(changes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
      for (block, node) in changes { model[block] = node }
      let sorted = model.sorted { $0.key < $1.key }
      var fresh = MemoryTree()
      fresh.update(sorted.map { ($0.key, $0.value) })
      #expect(tree.root == fresh.root)
      #expect(tree.count == model.count)
      #expect(tree.map(\.block) == sorted.map(\.key))
      #expect(blocks.allSatisfy { tree[$0] == model[$0] })
      var again = before
      again.update([])
      #expect(again.root == root)
    }
  }

  @Test func pageSetIsASet() {
    var random = SplitMix64.forTest("page set")
    var set = PageSet()
    var model: Set<Int> = []
    for _ in 0..<2000 {
      let member = random.int(0...511)
      let value = random.bool()
      set[member] = value
      if value { model.insert(member) } else { model.remove(member) }
    }
    #expect(set.members == model.sorted())
    #expect(set.count == model.count)
  }
}
