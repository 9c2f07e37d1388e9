package import CheckpointCodec
package import CheckpointImage
internal import Storage

/// A dump as a source: first its notes as records, then its memory, run by run.
package final class DumpSource: DescribedSource {
  /// Consecutive pages; runs ascend.
  struct Run {
    /// Where their contents come from.
    enum Contents {
      case memory(any PhysicalMemory)
      /// The dump does not contain them.
      case missing(PageStatus)
    }

    var pages: Range<PFN>
    var contents: Contents
  }

  /// The name used in messages.
  package var name: String { input.name }
  /// Describes the dump.
  package let facts: SourceFacts
  /// None: a dump has no layout that could be written again.
  package let layoutKind: LayoutKind? = LayoutKind.none
  /// The notes.
  private let knownRecords: [MachineRecord]
  private let memory: (any PhysicalMemory)?

  private let input: InputStream
  private let buffers = PageBufferPool()
  private var records: ArraySlice<MachineRecord>
  private let nextRun: () throws(CheckpointError) -> Run?
  private var run: Run?
  private var end: PFN = 0
  private var pagesDone: UInt64 = 0
  private let pagesTotal: UInt64?
  private var leftOut = EvictionPlan()

  /// The fraction of the input that was read.
  package var fractionDone: Double? {
    guard let pagesTotal else { return input.fractionDone }
    return pagesTotal == 0 ? nil : Double(pagesDone) / Double(pagesTotal)
  }

  /// - Parameters:
  ///   - pages: the number of pages; nil if unknown.
  ///   - nextRun: returns the runs in ascending order; nil at the end.
  init(
    _ input: InputStream, _ facts: SourceFacts, _ records: [MachineRecord],
    memory: (any PhysicalMemory)?, pages: UInt64?,
    nextRun: @escaping () throws(CheckpointError) -> Run?
  ) {
    self.input = input
    self.facts = facts
    knownRecords = records
    self.records = records[...]
    self.memory = memory
    pagesTotal = pages
    self.nextRun = nextRun
  }

  /// The memory, if the input is a file.
  package var sourceMemory: SourceMemory? {
    memory.map { memory in
      SourceMemory(memory: memory, records: knownRecords) { self.leftOut = $0 }
    }
  }

  /// The next event.
  package func next() throws(CheckpointError) -> SourceEvent? {
    if let record = records.popFirst() { return .record(record) }
    if run?.pages.isEmpty ?? true {
      guard let next = try nextRun() else {
        // A pipe's writer waits until everything was read, and a digest covers the whole source.
        try input.readToEnd()
        return nil
      }
      guard next.pages.lowerBound >= end else {
        throw CheckpointError(
          .damaged, "PFN \(next.pages.lowerBound) comes after PFN \(end)", file: name)
      }
      end = next.pages.upperBound
      run = next
    }
    guard let run else { return nil }
    switch run.contents {
    case .missing(let status):
      self.run = nil
      return .states(
        StateExtent(ValueRun(run.pages, status)))
    case .memory(let memory):
      let count = min(PageBuffer.capacity, run.pages.count)
      let pfns = Array(run.pages.prefix(count))
      self.run?.pages.removeFirst(count)
      pagesDone += UInt64(count)
      let buffer = buffers.buffer()
      for part in leftOut.runs(of: run.pages.prefix(count)) where part.reason == .none {
        let slots = Int(part.pages.lowerBound - pfns[0])..<Int(part.pages.upperBound - pfns[0])
        let unknown = try memory.copy(pfns[slots], to: buffer, at: slots.lowerBound)
        guard unknown.isEmpty else {
          throw CheckpointError(.damaged, "PFN \(pfns[unknown[0]]) is not in it", file: name)
        }
      }
      return .pages(PageBatch(buffer: buffer, pages: pfns.map { PageBatch.Page(pfn: $0) }))
    }
  }
}
