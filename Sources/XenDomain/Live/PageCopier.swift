#if Xen
internal import CheckpointCodec
internal import CheckpointImage

/// Copies pages of a domain into batches, and measures how fast that goes.
struct PageCopier {
  private let memory: any DomainPages
  private let buffers = PageBufferPool()
  /// Pages copied so far.
  private(set) var pages = 0
  /// The time that took.
  private(set) var time = Duration.zero

  init(_ memory: any DomainPages) { self.memory = memory }

  /// The time one page takes; nil before the first.
  var timePerPage: Duration? { pages == 0 ? nil : time / pages }

  /// Makes sure that so many batches can be copied without waiting for memory.
  func prepare(_ batches: Int) { buffers.prepare(batches) }

  /// Copies at most 256 pages, and adds those that could not be had to `missing`.
  mutating func copy(_ pfns: ArraySlice<PFN>, missing: inout [PFN]) throws(CheckpointError)
    -> PageBatch
  {
    let start = ContinuousClock.now
    let buffer = buffers.buffer()
    let failed = try memory.copy(pfns, to: buffer, at: 0)
    var batch = PageBatch(buffer: buffer, pages: [])
    batch.pages.reserveCapacity(pfns.count)
    var nextFailed = failed.startIndex
    for index in pfns.indices {
      if nextFailed < failed.endIndex, failed[nextFailed] == index {
        missing.append(pfns[index])
        nextFailed += 1
        continue
      }
      // Those behind a page that is not there move up.
      let slot = index - pfns.startIndex
      if slot != batch.pages.count { buffer.copy(buffer, slot..<slot + 1, to: batch.pages.count) }
      batch.pages.append(
        PageBatch.Page(pfn: pfns[index], type: memory.status(pfns[index]).type))
    }
    pages += pfns.count
    time += ContinuousClock.now - start
    return batch
  }
}
#endif
