@testable import CheckpointCodec
import CheckpointImage
import TestSupport
import Testing

/// What the log says of each page is what was said last, whatever the order of arrival.
@Suite struct PageLogTests {
  @Test func lastWordWins() throws {
    var random = SplitMix64.forTest("page log")
    for round in 0..<40 {
      var log = PageLog()
      var model: [PFN: PageEntry] = [:]
      var stored = 0
      for pass in 0...(round % 4) {
        if pass > 0 { log.newPass() }
        // Within a pass each PFN comes once, in order or not.
        var pfns = Set((0..<200).map { _ in random.next() >> 54 | (random.next() & 1) << 40 })
          .sorted()
        if round % 2 == 1 { pfns.shuffle(using: &random) }
        while !pfns.isEmpty {
          if Bool.random(using: &random) {
            let live = pfns.prefix(Int.random(in: 1...20, using: &random)).enumerated().map {
              EncodedRegion.LivePage(
                slot: UInt8($0), pfn: $1, type: 9,
                digest: SHA256Hasher.digest(of: random.bytes(4)))
            }
            let offset = random.next() >> 20
            log.add(EncodedRegion(body: [], live: live, deadCopies: 0), offset: offset, length: 8)
            for page in live {
              let location = PageLocation(offset: offset, length: 8, slot: page.slot)
              model[page.pfn] = PageEntry(type: 9, digest: page.digest, location: location)
            }
            stored += live.count
            pfns.removeFirst(live.count)
          } else {
            let extent = StateExtent(
              pfn: pfns.removeFirst(), count: 1, status: PageStatus(.zero, type: 4))
            log.add(extent)
            model[extent.pfn] = PageEntry(extent.status)
          }
        }
      }
      var found: [PFN: PageEntry] = [:]
      var last: BlockNumber?
      let tally = try log.forEachBlock { (block) throws(CheckpointError) in
        if let last { #expect(block.number > last) }
        last = block.number
        for slot in 0..<512 { found[block.number.pfn(slot)] = block.entries[slot] }
      }
      #expect(found == model)
      let living = model.values.filter { $0.status.state == .data }.count
      #expect(tally.deadCopies == UInt64(stored - living))
    }
  }
}
