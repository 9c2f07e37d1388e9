package import CheckpointCodec
package import CheckpointImage
package import Storage
/// Writes plain memory: sparse into a file, flat into a pipe.
package final class RawWriter: EventSink {
  package typealias Event = PageBatch

  /// Pages shown as zeros.
  package private(set) var substitutions = Substitutions()

  private let file: any ByteSink
  private let output: SparseOutput
  /// One past the highest populated page so far.
  private var end: PFN = 0

  /// A flat hole longer than any machine's memory is a damaged or hostile image, not a guest.
  private static let longestFlatHole: UInt64 = 1 << 44

  /// Writes to `output`.
  package init(_ output: any ByteSink) {
    file = output
    self.output = SparseOutput(output)
  }

  /// Takes pages in ascending order.
  package func receive(_ batch: PageBatch) throws(CheckpointError) {
    var slot = 0
    while slot < batch.pages.count {
      let page = batch.pages[slot]
      guard page.state == .data else {
        note(page)
        slot += 1
        continue
      }
      var next = slot
      while next < batch.pages.count, batch.pages[next].state == .data,
        batch.pages[next].pfn == page.pfn + UInt64(next - slot)
      {
        note(batch.pages[next])
        next += 1
      }
      try write(batch.buffer.bytes(slot..<next), at: page.pfn)
      slot = next
    }
  }

  private func note(_ page: PageBatch.Page) {
    guard page.state != .unpopulated else { return }
    substitutions.count(page.state)
    // Pages between this one and the last that no image speaks of.
    substitutions.unpopulated += page.pfn - end
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

  /// Makes the output as long as the memory.
  package func finish() throws(CheckpointError) {
    try fill(to: try offset(end))
    try output.finish()
  }
}
