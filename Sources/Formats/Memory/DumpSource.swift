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
  /// Describes the dump, and what is missing of it so far.
  package var facts: SourceFacts {
    var facts = described
    facts.mayLackPages =
      lost > 0 || bytes?.cut != nil || facts.remarks.contains { $0.weight == .incomplete }
    if let behind = passesOverBehind(), passedOver > 0 {
      facts.remarks.append(
        SourceRemark(
          .note,
          CheckpointError(
            .damaged, "\(passedOver) bytes behind \(behind) are not looked at", file: name)))
    }
    if lost > 0 {
      let reason = bytes?.cut?.reason ?? "the dump names them but does not have their contents"
      facts.remarks.append(
        SourceRemark(
          .incomplete,
          CheckpointError(
            .incomplete, "\(lost) pages are missing, and unreadable in the image: \(reason)",
            offset: bytes?.cut?.offset, file: name)))
    }
    return facts
  }
  /// None: a dump has no layout that could be written again.
  package let layoutKind: LayoutKind? = LayoutKind.none
  private var described: SourceFacts
  /// The notes.
  private let knownRecords: [MachineRecord]
  private let memory: (any PhysicalMemory)?
  /// What the pages of a stream are read from, which may end before its time.
  private let bytes: (any DumpBytes)?

  private let input: InputStream
  private let buffers = PageBufferPool()
  private var records: ArraySlice<MachineRecord>
  private let nextRun: () throws(CheckpointError) -> Run?
  private var run: Run?
  private var end: PFN = 0
  private var pagesDone: UInt64 = 0
  private let pagesTotal: UInt64?
  private var leftOut = EvictionPlan()
  private var isAtEnd = false
  /// Pages that the dump describes and does not have, although they were not left out of it on purpose.
  private var lost: UInt64 = 0
  /// The most pages that are stated to be unreadable, 128 GiB: a header of a few bytes may name any number.
  private static let mostStated: UInt64 = 1 << 25
  private var stated: UInt64 = 0
  /// Tells behind what the rest of a stream lies that is passed over; nil if there is no need to tell.
  private let passesOverBehind: () -> String?
  private var passedOver: UInt64 = 0

  /// The fraction of the input that was read.
  package var fractionDone: Double? {
    guard let pagesTotal else { return input.fractionDone }
    return pagesTotal == 0 ? nil : Double(pagesDone) / Double(pagesTotal)
  }

  /// - Parameters:
  ///   - memory: the memory, if it can be read in any order.
  ///   - bytes: what pages are read from, if that is a stream.
  ///   - passesOverBehind: asked at the end of a stream: behind what the rest lies that is passed over; nil if there is
  ///     no need to tell.
  ///   - pages: the number of pages; nil if unknown.
  ///   - nextRun: returns the runs in ascending order; nil at the end.
  init(
    _ input: InputStream, _ facts: SourceFacts, _ records: [MachineRecord],
    memory: (any PhysicalMemory)?, bytes: (any DumpBytes)? = nil,
    passesOverBehind: @escaping () -> String? = { nil }, pages: UInt64?,
    nextRun: @escaping () throws(CheckpointError) -> Run?
  ) {
    self.input = input
    described = facts
    knownRecords = records
    self.records = records[...]
    self.memory = memory
    self.bytes = bytes
    self.passesOverBehind = passesOverBehind
    pagesTotal = pages
    self.nextRun = nextRun
  }

  /// The memory, if the input is a file.
  package var sourceMemory: SourceMemory? {
    memory.map { memory in
      SourceMemory(memory: memory, records: knownRecords) { self.leftOut = $0 }
    }
  }

  /// The next event. Of a dump that breaks off, all that came can be trusted: each page comes once.
  package func next() throws(CheckpointError) -> SourceEvent? {
    if let record = records.popFirst() { return .record(record) }
    if run?.pages.isEmpty ?? true, try !takeRun() { return nil }
    guard let run else { return nil }
    guard case .memory(let memory) = run.contents, bytes?.cut == nil else {
      self.run = nil
      var status = PageStatus(.unreadable)
      if case .missing(let known) = run.contents {
        status = known
      } else {
        lost += UInt64(run.pages.count)
      }
      return state(run.pages, status)
    }
    let count = min(PageBuffer.capacity, run.pages.count)
    self.run?.pages.removeFirst(count)
    return .pages(try read(run.pages.prefix(count), of: memory))
  }

  /// What is said of pages that the dump does not have.
  private func state(_ pages: Range<PFN>, _ status: PageStatus) -> SourceEvent {
    guard status.state == .unreadable else { return .states(StateExtent(ValueRun(pages, status))) }
    let count = min(UInt64(pages.count), max(1, Self.mostStated - min(stated, Self.mostStated)))
    stated += count
    return .states(
      StateExtent(ValueRun(pages.lowerBound..<pages.lowerBound + count, status)))
  }

  /// Begins the next run; false at the end.
  private func takeRun() throws(CheckpointError) -> Bool {
    guard !isAtEnd else { return false }
    do throws(CheckpointError) {
      guard let next = try nextRun() else {
        isAtEnd = true
        // A pipe's writer waits until everything was read, and a digest covers the whole source.
        let place = input.position
        if bytes?.cut == nil { try input.readToEnd() }
        passedOver = input.position - place
        return false
      }
      guard next.pages.lowerBound >= end else {
        throw CheckpointError(
          .damaged, "PFN \(next.pages.lowerBound) comes after PFN \(end)", file: name)
      }
      end = next.pages.upperBound
      run = next
      return true
    } catch {
      guard error.kind == .incomplete, pagesDone > 0 else { throw error }
      isAtEnd = true
      if !described.remarks.contains(where: { $0.weight == .incomplete }) {
        described.remarks.append(SourceRemark(.incomplete, error.inFile(name)))
      }
      // A pipe's writer waits until everything was read.
      do throws(CheckpointError) {
        try input.readToEnd()
      } catch {
        // That it ended was said. Damage to what it is compressed in may have reached the pages.
        guard error.kind == .incomplete else { throw error }
      }
      return false
    }
  }

  private func read(_ pages: Range<PFN>, of memory: any PhysicalMemory) throws(CheckpointError)
    -> PageBatch
  {
    let buffer = buffers.buffer()
    let pfns = Array(pages)
    var batch = PageBatch(buffer: buffer, pages: pfns.map { PageBatch.Page(pfn: $0) })
    for part in leftOut.runs(of: pages) where part.reason == .none {
      let slots = Int(part.pages.lowerBound - pfns[0])..<Int(part.pages.upperBound - pfns[0])
      for place in try memory.copy(pfns[slots], to: buffer, at: slots.lowerBound) {
        batch.pages[place].status = PageStatus(.unreadable)
        lost += 1
      }
    }
    pagesDone += UInt64(pfns.count)
    return batch
  }
}
