package import CheckpointCodec
package import CheckpointImage
package import Storage

/// Writes plain memory: with holes into a file, with zeros into a pipe.
package final class RawWriter: EventSink {
  package typealias Event = PageBatch

  /// The pages that were written as zeros.
  package private(set) var omitted = OmittedPages()

  private let file: any ByteSink
  private let output: SparseOutput
  /// One past the highest populated page so far.
  private var end: PFN = 0

  /// The most zeros written into a pipe: more than any machine's memory means a damaged or hostile image.
  private static let longestFlatHole: UInt64 = 1 << 44

  /// Writes to `output`, which must be empty.
  package init(_ output: any ByteSink) {
    file = output
    self.output = SparseOutput(output)
  }

  /// Writes pages, which come in ascending order.
  package func receive(_ batch: PageBatch) throws(CheckpointError) {
    var slot = 0
    while slot < batch.pages.count {
      let page = batch.pages[slot]
      guard page.state == .data else {
        countOmitted(page)
        slot += 1
        continue
      }
      var next = slot
      while next < batch.pages.count, batch.pages[next].state == .data,
        batch.pages[next].pfn == page.pfn + UInt64(next - slot)
      {
        countOmitted(batch.pages[next])
        next += 1
      }
      try write(batch.buffer.bytes(slot..<next), at: page.pfn)
      slot = next
    }
  }

  private func countOmitted(_ page: PageBatch.Page) {
    guard page.state != .unpopulated else { return }
    omitted.count(page.state)
    // No image describes the pages between the last one and this one.
    omitted.unpopulated += page.pfn - end
    end = page.pfn + 1
  }

  private func offset(_ pfn: PFN) throws(CheckpointError) -> UInt64 {
    guard pfn < 1 << 51 else {
      throw CheckpointError(
        .refused, "PFN \(pfn) lies beyond the end of any file", file: file.name)
    }
    return pfn * UInt64(Limits.pageSize)
  }

  private func write(_ bytes: RawSpan, at pfn: PFN) throws(CheckpointError) {
    try fill(to: try offset(pfn))
    try output.write(bytes)
  }

  private func fill(to offset: UInt64) throws(CheckpointError) {
    guard file.seekable != nil || offset - output.position < Self.longestFlatHole else {
      throw CheckpointError(
        .refused, "a hole of \(offset - output.position) bytes: write to a file, which is sparse",
        offset: output.position, file: file.name)
    }
    try output.zeros(to: offset)
  }

  /// Extends the output to the end of the memory.
  package func finish() throws(CheckpointError) {
    try fill(to: try offset(end))
    try output.finish()
  }
}
