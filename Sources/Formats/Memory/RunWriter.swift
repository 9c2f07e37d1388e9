package import CheckpointCodec
package import CheckpointImage
package import Storage

/// Writes a head, then runs of pages, each after its own header. The form of ELF and LiME files.
package final class RunWriter: EventSink {
  package typealias Event = PageBatch

  private let output: SparseOutput
  private var runs: ArraySlice<Range<PFN>>
  private let header: (Range<PFN>) -> [UInt8]
  /// The rest of the run that is being written.
  private var current: Range<PFN> = 0..<0

  /// Writes `head`.
  ///
  /// - Parameters:
  ///   - runs: all pages that will be received.
  ///   - header: the bytes before the pages of a run.
  package init(
    _ output: any ByteSink, head: [UInt8], runs: [Range<PFN>],
    header: @escaping (Range<PFN>) -> [UInt8]
  ) throws(CheckpointError) {
    self.output = SparseOutput(output)
    self.runs = runs[...]
    self.header = header
    try self.output.write(head)
  }

  /// Writes pages, which come in ascending order.
  package func receive(_ batch: PageBatch) throws(CheckpointError) {
    var slot = 0
    while slot < batch.pages.count {
      let state = batch.pages[slot].state
      guard state == .data || state == .zero else {
        slot += 1
        continue
      }
      let pfn = batch.pages[slot].pfn
      if current.isEmpty, let run = runs.popFirst() {
        current = run
        try output.write(header(run))
      }
      guard pfn == current.lowerBound else { throw Self.changed }
      var count = 1
      while slot + count < batch.pages.count, count < current.count,
        batch.pages[slot + count].state == state
      { count += 1 }
      if state == .data {
        try output.write(batch.buffer.bytes(slot..<slot + count))
      } else {
        try output.zeros(to: output.position + UInt64(count * Limits.pageSize))
      }
      current = pfn + UInt64(count)..<current.upperBound
      slot += count
    }
  }

  /// Completes the last run.
  package func finish() throws(CheckpointError) {
    guard current.isEmpty, runs.isEmpty else { throw Self.changed }
    try output.finish()
  }

  private static let changed = CheckpointError(
    .io, "the image was changed by someone while it was read")
}
