package import CheckpointCodec
package import CheckpointImage
internal import Storage

/// Memory that a file contains uncompressed, in extents.
///
/// Bytes that are missing in a page are zeros.
package final class ExtentMemory<Bytes: DumpBytes>: PhysicalMemory {
  /// One past the last page that has a byte in the file.
  package let limit: PFN
  private let file: Bytes
  private let extents: [MemoryExtent]

  /// The memory in `extents` of `file`; they ascend by address and do not overlap.
  package init(_ file: Bytes, _ extents: [MemoryExtent]) {
    self.file = file
    self.extents = extents
    let end = extents.last?.end ?? 0
    limit = end >> UInt64(Limits.pageShift) + (end % UInt64(Limits.pageSize) == 0 ? 0 : 1)
  }

  /// Copies pages; pages without a byte in the file are unknown.
  package func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int)
    throws(CheckpointError) -> [Int]
  {
    var unknown: [Int] = []
    var place = pfns.startIndex
    while place < pfns.endIndex {
      let target = slot + place - pfns.startIndex
      let pfn = pfns[place]
      let first = pfn < limit ? firstExtent(endingBehind: pfn << UInt64(Limits.pageShift)) : nil
      guard let first else {
        unknown.append(place)
        place += 1
        continue
      }
      let whole = wholePages(from: pfn, of: extents[first])
      if whole > 0 {
        var count = 1
        while count < whole, place + count < pfns.endIndex,
          pfns[place + count] == pfn + UInt64(count)
        { count += 1 }
        let found = try file.readPages(
          target..<target + count, of: buffer,
          at: extents[first].offset + (pfn << UInt64(Limits.pageShift) - extents[first].address))
        unknown += place + found..<place + count
        place += count
      } else {
        if try !assemble(pfn, from: first, to: target, of: buffer) { unknown.append(place) }
        place += 1
      }
    }
    return unknown
  }

  /// The pages with a byte in the file, as runs.
  package var runs: [Range<PFN>] {
    var runs: [Range<PFN>] = []
    for extent in extents where extent.length > 0 {
      let first = extent.address >> UInt64(Limits.pageShift)
      let end = (extent.end - 1) >> UInt64(Limits.pageShift) + 1
      runs.join(first..<end)
    }
    return runs
  }

  /// The index of the first extent that ends after an address.
  private func firstExtent(endingBehind address: UInt64) -> Int? {
    let place = extents.indices.partitioningIndex { extents[$0].end > address }
    return place < extents.count ? place : nil
  }

  /// How many whole pages of an extent follow `pfn`, itself included.
  private func wholePages(from pfn: PFN, of extent: MemoryExtent) -> Int {
    let address = pfn << UInt64(Limits.pageShift)
    guard extent.address <= address, address < extent.end else { return 0 }
    return Int((extent.end - address) >> UInt64(Limits.pageShift))
  }

  /// Assembles a page from its parts; false if there are none, or one of them is not there.
  private func assemble(_ pfn: PFN, from first: Int, to slot: Int, of buffer: PageBuffer)
    throws(CheckpointError) -> Bool
  {
    let address = pfn << UInt64(Limits.pageShift)
    let page = address..<address + UInt64(Limits.pageSize)
    var bytes = [UInt8](repeating: 0, count: Limits.pageSize)
    var isThere = false
    for extent in extents[first...] {
      guard extent.address < page.upperBound else { break }
      let part = extent.clamped(to: page)
      guard part.length > 0 else { continue }
      let start = Int(part.address - address)
      guard let found = try file.readBytes(at: part.offset, count: Int(part.length)) else {
        return false
      }
      bytes.replaceSubrange(start..<start + Int(part.length), with: found)
      isThere = true
    }
    // SAFETY: the bytes are copied before the closure returns.
    if isThere { unsafe bytes.withUnsafeBytes { unsafe buffer.copy($0, to: slot) } }
    return isThere
  }
}

// SAFETY: the extents never change, and any thread may read a `LocalFile`.
extension ExtentMemory: Sendable, ConcurrentMemory where Bytes == LocalFile {}
