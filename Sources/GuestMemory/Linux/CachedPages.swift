internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Reads small parts of a guest's memory and caches the pages they are in.
final class CachedPages {
  private static let slots = 2 * sets
  /// Each page has a set of two slots: two pages that are read by turns do not drive each other out.
  private static let sets = 1 << 8

  private let memory: any PhysicalMemory
  private let buffer = PageBuffer(pages: slots)
  /// Where runs arrive that are not cached.
  private let room = PageBuffer()
  /// The cached page of each slot.
  private var held = [PFN](repeating: .max, count: slots)
  /// The slot used last in each set, 0 or 1.
  private var recent = [Int](repeating: 0, count: sets)
  /// The number of pages that were read.
  private(set) var copied = 0
  /// Randomises which set a page goes to; otherwise a guest could make all its tables compete for one.
  private let mixing = UInt64.random(in: 0...UInt64.max) | 1

  init(_ memory: any PhysicalMemory) { self.memory = memory }

  /// The little-endian number at an address that is a multiple of 8; nil if its page is unknown.
  func u64(at physical: UInt64) throws(CheckpointError) -> UInt64? {
    guard let slot = try slot(of: physical >> 12) else { return nil }
    let buffer = buffer
    // SAFETY of all uses here: loads and ranges check their bounds, and bytes are copied before closures
    // return.
    return UInt64(
      littleEndian: unsafe buffer.page(slot).unsafeLoadUnaligned(
        fromByteOffset: Int(physical & 0xff8), as: UInt64.self))
  }

  /// Appends bytes within one page; false if the page is unknown.
  func append(_ count: Int, at physical: UInt64, to bytes: inout [UInt8]) throws(CheckpointError)
    -> Bool
  {
    guard let slot = try slot(of: physical >> 12) else { return false }
    let start = Int(physical & 0xfff)
    let buffer = buffer
    unsafe buffer.page(slot).extracting(start..<start + count).withUnsafeBytes {
      unsafe bytes.append(contentsOf: $0)
    }
    return true
  }

  /// Appends bytes of consecutive pages, many at a time and without caching; false if any is unknown.
  ///
  /// - Parameter zeros: whether zeros replace unknown pages.
  func appendRun(_ count: Int, at physical: UInt64, to bytes: inout [UInt8], zeros: Bool = false)
    throws(CheckpointError) -> Bool
  {
    let end = physical + UInt64(count)
    var next = physical
    let room = room
    while next < end {
      let first = next >> 12
      let last = min((end + 0xfff) >> 12, first + UInt64(room.pageCount), memory.limit)
      guard first < last else { return false }
      let pfns = Array(first..<last)
      copied += pfns.count
      let unknown = try memory.copy(pfns[...], to: room, at: 0)
      guard zeros || unknown.isEmpty else { return false }
      for slot in unknown { room.clear(slot) }
      let start = Int(next & 0xfff)
      let part = min(pfns.count * Limits.pageSize - start, Int(end - next))
      unsafe room.bytes(0..<pfns.count).extracting(start..<start + part).withUnsafeBytes {
        unsafe bytes.append(contentsOf: $0)
      }
      next += UInt64(part)
    }
    return true
  }

  /// Empties the cache, so that pages are read again.
  func refresh() {
    for slot in held.indices { held[slot] = .max }
  }

  private func slot(of pfn: PFN) throws(CheckpointError) -> Int? {
    guard pfn < memory.limit else { return nil }
    let set = Int((pfn &* mixing) >> 56)
    for place in 0..<2 where held[2 * set + place] == pfn {
      recent[set] = place
      return 2 * set + place
    }
    recent[set] = 1 - recent[set]
    let slot = 2 * set + recent[set]
    held[slot] = .max
    copied += 1
    guard try memory.copy([pfn], to: buffer, at: slot).isEmpty else { return nil }
    held[slot] = pfn
    return slot
  }
}
