internal import CheckpointCodec
package import CheckpointImage
package import Storage
/// Checks a file or stream of Xen's: besides what reading it already refuses, what Xen's own verifier does not
/// look at and its restore fails on, such as the order of records, stray PFNs, and page tables or a P2M table
/// that are not there.
package final class XenStreamCheck {
  /// What was checked.
  package struct Counts: Sendable {
    /// Moments: one, or those of a checkpointed stream.
    package var moments = 0
    /// Machine records.
    package var records: UInt64 = 0
    /// Pages with contents, each time they came.
    package var pages: UInt64 = 0
    /// Bytes of the stream.
    package var bytes: UInt64 = 0
  }

  /// What is wrong, in the order in which it was found; of very much, the first.
  package private(set) var findings: [CheckpointError] = []
  /// What was checked.
  package private(set) var counts = Counts()
  /// The kind of file.
  package private(set) var kind: String

  /// A block of 512 pages takes 512 bytes here; a guest's own take 4096 bytes each in the stream.
  private static let freeBlocks = 1 << 12

  private let input: InputStream
  private let format: XenFormat
  private var rules = MachineStateRules()
  private var isPV: Bool?

  /// Prepares the check of a stream of this format.
  package init(_ input: InputStream, _ format: XenFormat) {
    self.input = input
    self.format = format
    kind = format.name
  }

  /// Reads the stream to its end, or to where it cannot be read on; that is the last finding.
  package func run(progress: (Double?) -> Void = { _ in }) throws(CheckpointError) {
    do throws(CheckpointError) {
      let source = try XenStreamSource(input, format)
      repeat {
        while let event = try source.next() {
          try input.cancellation.check()
          if isPV == nil { isPV = source.facts.moment.guestType.map { $0 == .pv } }
          try take(event)
          progress(source.fractionDone)
        }
        counts.moments += 1
        note(rules.end())
      } while try source.beginNextMoment()
    } catch {
      switch error.kind {
      case .io, .interrupted: throw error
      default: findings.append(error)
      }
    }
    counts.bytes = input.position
  }

  private func take(_ event: SourceEvent) throws(CheckpointError) {
    switch event {
    case .pages(let batch):
      counts.pages += UInt64(batch.pages.count)
      for page in batch.pages { try populate(page.pfn, page.type) }
    case .states(let extent) where extent.status.state == .allocateOnly:
      for pfn in extent.pfn..<extent.end { try populate(pfn, 0) }
    case .record(let record):
      counts.records += 1
      note(rules.take(record))
    case .states, .layout, .newPass: break
    }
  }

  private func populate(_ pfn: PFN, _ type: PageType) throws(CheckpointError) {
    note([rules.populate(pfn, type, isPV: isPV ?? false)].compactMap { $0 })
    guard rules.blockCount <= Self.freeBlocks + Int(input.position / UInt64(Limits.pageSize)) else {
      throw CheckpointError(
        .damaged, "its pages are strewn over \(rules.blockCount) blocks of 2 MiB",
        structure: "PAGE_DATA", offset: input.position, file: input.name)
    }
  }

  private func note(_ problems: [String]) {
    for problem in problems.prefix(MachineStateRules.mostProblems - findings.count) {
      findings.append(
        CheckpointError(
          .damaged, problem, structure: "libxc stream", offset: input.position, file: input.name))
    }
  }
}
