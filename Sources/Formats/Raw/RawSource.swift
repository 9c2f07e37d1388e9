package import CheckpointCodec
package import CheckpointImage
package import Storage

/// Plain memory: byte n of the input is byte n of the guest's physical memory.
package final class RawSource: DescribedSource {
  /// The name used in messages.
  package var name: String { input.name }
  /// Describes plain memory, about which nothing else is known.
  package private(set) var facts = SourceFacts(
    kind: "raw memory", architecture: .unspecified, ascendingUnique: true)
  /// None: raw memory has no layout.
  package let layoutKind: LayoutKind? = LayoutKind.none

  private let memory: (any PhysicalMemory)?
  /// The input, if it is a file that may have holes.
  private let file: LocalFile?

  private let input: InputStream
  private let buffers = PageBufferPool()
  private var pfn: PFN = 0
  private var leftOut = EvictionPlan()
  private var isAtEnd = false
  /// A file whose length says more than 4 TiB is read as it comes: one hole of it could make index blocks without end,
  /// deaf to a wish to stop.
  private static let longestWithHoles: UInt64 = 1 << 42

  /// The fraction of the input that was read.
  package var fractionDone: Double? { input.fractionDone }

  /// Reads `input` as memory.
  package init(_ input: InputStream) throws(CheckpointError) {
    self.input = input
    file = try input.file()
    memory = file.map { file in
      ExtentMemory(file, [MemoryExtent(address: 0, offset: 0, length: file.length)])
    }
  }

  /// The memory, if the input is a file.
  package var sourceMemory: SourceMemory? {
    memory.map { memory in
      SourceMemory(memory: memory, records: []) { self.leftOut = $0 }
    }
  }

  /// The next up to 256 pages, or a hole of the file.
  package func next() throws(CheckpointError) -> SourceEvent? {
    guard !isAtEnd else { return nil }
    if let hole = try hole() {
      pfn = hole.upperBound
      try input.seek(to: pfn << UInt64(Limits.pageShift))
      return .states(StateExtent(ValueRun(hole, PageStatus(.zero))))
    }
    let buffer = buffers.buffer()
    var count = 0
    do throws(CheckpointError) {
      for run in leftOut.runs(of: pfn..<pfn + UInt64(buffer.pageCount)) where !isAtEnd {
        let slots = count..<count + run.pages.count
        let done = try input.readPages(slots, of: buffer, wanted: run.reason == .none)
        count += done.pages
        guard done.pages < slots.count else { continue }
        // What ended it, if more is known of that.
        isAtEnd = try input.isAtEnd()
        if done.rest > 0 { try endWithin(done.rest) }
      }
    } catch {
      // What came of it can be trusted: each page comes once.
      guard error.kind == .incomplete, pfn + UInt64(count) > 0 else { throw error }
      facts.remarks.append(SourceRemark(.incomplete, error))
      facts.mayLackPages = true
      isAtEnd = true
    }
    guard count > 0 else { return nil }
    let pages = (pfn..<pfn + UInt64(count)).map { PageBatch.Page(pfn: $0) }
    pfn += UInt64(count)
    return .pages(PageBatch(buffer: buffer, pages: pages))
  }

  /// The pages that lie whole in a hole of the file, if the next one does: they are zero, and need not be read.
  private func hole() throws(CheckpointError) -> Range<PFN>? {
    // What is left out has another state than zero.
    guard let file, file.length <= Self.longestWithHoles, input.bytesToSkip != nil,
      leftOut[pfn] == .none
    else { return nil }
    let shift = UInt64(Limits.pageShift)
    let data = min(try file.nextData(from: pfn << shift), file.length) >> shift
    let end = min(data, leftOut.run(at: pfn).pages.upperBound)
    return end > pfn ? pfn..<end : nil
  }

  /// Of a pipe, what came until then may be all there is. A file that was cut can still be looked at.
  private func endWithin(_ rest: Int) throws(CheckpointError) {
    throw CheckpointError(
      input.length == nil ? .incomplete : .refused,
      "the last page has only \(rest) bytes: it broke off, or is no plain memory",
      offset: input.position - UInt64(rest), file: name)
  }
}
