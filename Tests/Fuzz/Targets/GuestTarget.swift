internal import CheckpointCodec
internal import CheckpointImage
internal import GuestMemory
package import TestSupport

/// Whatever memory holds, looking for a kernel in it ends in an answer or an error.
///
/// The input: a byte that says whether a processor's CR3 is known, 8 bytes of it; then runs of memory, each an address
/// of 4 bytes, a length of 2, and that many bytes. What no run names is not known.
package enum GuestTarget {
  /// 16 MiB, so that it can be searched quickly.
  private static let limit: PFN = 4096

  /// The input for a memory and a processor's CR3.
  package static func input(_ memory: ModelMemory, pageTables: UInt64?) -> [UInt8] {
    var input = WireWriter()
    input.write(UInt8(pageTables == nil ? 0 : 1))
    input.write(pageTables ?? 0)
    for (pfn, page) in memory.pages.sorted(by: { $0.key < $1.key }) {
      // Eight bytes at a time, without those that are zero; the page is known all the same.
      var start = 0
      while start < page.count {
        let end = page[start...].firstIndex { $0 != 0 } ?? page.count
        guard end < page.count || start == 0 else { break }
        let from = min(end, page.count - 8) & ~7
        var to = from
        repeat { to += 8 } while to < page.count && page[to..<to + 8].contains { $0 != 0 }
        input.write(UInt32(pfn << 12) + UInt32(from))
        input.write(UInt16(to - from))
        input.write(Array(page[from..<to]))
        start = to
      }
    }
    return input.bytes
  }

  package static func run(_ input: [UInt8]) -> Outcome {
    let memory = ModelMemory(limit: limit)
    var clues = MemoryClues()
    read(input, into: memory, &clues)
    do throws(CheckpointError) {
      let guest = try LinuxGuest.find(in: memory, clues)
      let facts = try guest.facts
      _ = try guest.symbol("nothing")
      if let types = try guest.types {
        _ = types.member("page", "_refcount.counter")
        _ = types.enumerator("PG_dirty")
      }
      let classes = try? PageClasses(of: guest)
      if classes?.counts.values.reduce(0, +) ?? 0 > limit {
        return .broken("more pages have a class than there are")
      }
      return facts.release == guest.information.release ? .accepted : .broken("another release")
    } catch {
      return .refused
    }
  }

  private static func read(_ input: [UInt8], into memory: ModelMemory, _ clues: inout MemoryClues) {
    func number(_ place: Int, _ count: Int) -> UInt64 {
      input[place..<place + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    guard input.count >= 9 else { return }
    if input[0] & 1 != 0 { clues.pageTables = [number(1, 8)] }
    var place = 9
    while place + 6 <= input.count {
      let address = number(place, 4) % (limit << 12)
      let count = min(Int(number(place + 4, 2)), input.count - place - 6)
      memory.write(Array(input[place + 6..<place + 6 + count]), at: address)
      place += 6 + count
    }
  }
}
