internal import CheckpointCodec
package import CheckpointImage
package import Storage

/// Checks a file or stream of Xen, beyond what reading it already refuses: what Xen's own verifier ignores but
/// its restore fails on, such as the order of records, stray PFNs, and missing page tables or P2M tables.
package final class XenStreamCheck {
  /// How much was checked.
  package struct Counts: Sendable {
    /// Moments: 1, or those of a checkpointed stream.
    package var moments = 0
    /// Machine records.
    package var records: UInt64 = 0
    /// Pages with contents; each copy counts.
    package var pages: UInt64 = 0
    /// Bytes of the stream.
    package var bytes: UInt64 = 0
  }

  /// The problems, in the order in which they were found; only the first of very many.
  package private(set) var findings: [CheckpointError] = []
  /// What is odd and no problem.
  package private(set) var notes: [CheckpointError] = []
  /// How much was checked so far.
  package private(set) var counts = Counts()
  /// The name of the format.
  package private(set) var kind: String

  /// A limit: a block of 512 pages takes 512 bytes here, while a real one takes 4096 bytes for each page in the
  /// stream.
  private static let freeBlocks = 1 << 12

  private let input: InputStream
  private let format: XenFormat
  private var rules = MachineStateRules()
  private var isPV: Bool?

  /// Prepares the check of a stream in this format.
  package init(_ input: InputStream, _ format: XenFormat) {
    self.input = input
    self.format = format
    kind = format.name
  }

  /// Reads the stream to its end, or to where it cannot be read; that is then the last finding.
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
      for remark in source.facts.remarks {
        if remark.weight == .incomplete {
          findings.append(remark.what)
        } else {
          notes.append(remark.what)
        }
      }
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
        .damaged, "its pages are scattered over \(rules.blockCount) blocks of 2 MiB",
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
