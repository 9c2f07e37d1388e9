package import CheckpointCodec
package import CheckpointImage
package import Storage
/// Makes a sound image of what a truncated or damaged one still holds. What is lost becomes unreadable; no
/// older copy of a page is ever taken for the last one (Spec, "Damage").
package struct Salvage {
  /// What came of it.
  package struct Result: Sendable {
    /// What became of the layout, by which the source's stream can be written again.
    package enum Layout: String, Sendable {
      /// There was none.
      case none
      /// Kept: records are complete, and all pages are known.
      case kept
      /// Dropped.
      case lost
    }

    /// The new image.
    package var image: ImageWriter.Summary
    /// Pages rescued whose SHA-256 an index block has.
    package var indexed: UInt64
    /// Pages rescued for which there is only their region's checksum.
    package var unindexed: UInt64
    /// Pages without stored contents, such as zero pages, whose state is still known.
    package var others: UInt64
    /// The pages that became unreadable, ascending.
    package var lost: [Range<PFN>]
    /// Ranges in which there may have been pages that nothing names any more.
    package var unknown: [Range<PFN>]
    /// Machine records kept.
    package var records: Int
    /// Whether these are all of them.
    package var recordsAreComplete: Bool
    /// What became of the layout.
    package var layout: Layout
    /// Whether the history is complete.
    package var historyIsComplete: Bool
    /// What is wrong with the file.
    package var findings: [CheckpointError]
    /// Whether the new image names the moment that the damaged one named; nil if that is lost.
    package var isSameMoment: Bool?

    /// Pages that became unreadable.
    package var lostPages: UInt64 { lost.reduce(0) { $0 + UInt64($1.count) } }

    /// Whether all that the image held is in the new one.
    package var isComplete: Bool {
      lost.isEmpty && unknown.isEmpty && recordsAreComplete && historyIsComplete
        && layout != .lost && isSameMoment ?? true
    }
  }

  private static let mostNamedRanges = 1000

  /// Rescues what an image holds into `output`, which is not committed. An increment is read against its
  /// parents, so they must be found.
  ///
  /// - Parameters:
  ///   - storage: where the image is.
  ///   - finder: where its ancestors are looked for.
  ///   - provenance: what the caller knows of when and how.
  ///   - ending: adds what is known only at the end to the provenance.
  package static func run(
    _ storage: any RangeReader, finding finder: any ImageFinder, provenance: Provenance,
    to output: any ByteSink, on pool: WorkerPool, progress: (Double?) -> Void = { _ in },
    ending: (inout Provenance) -> Void = { _ in }
  ) throws(CheckpointError) -> Result {
    do throws(CheckpointError) {
      let header: ImageHeader
      do throws(CheckpointError) {
        header = try ImageHeader(in: storage)
      } catch {
        throw error.inFile(storage.name)
      }
      guard output.replaced != storage.identity else { throw Chain.isNeeded(storage.name) }
      let parent = try parent(of: header, named: storage.name, finder, pool.cancellation)
      try parent?.checkStays(output)
      let evidence = try SalvageEvidence(
        storage, header, parent: parent, pool.cancellation)
      return try Salvage(evidence, parent, output, pool).run(provenance, progress, ending)
    } catch {
      // Damage is what a salvage is for: if it cannot begin, it could not be done.
      var error = error
      if [.damaged, .incomplete].contains(error.kind) { error.kind = .refused }
      throw error
    }
  }

  private static func parent(
    of header: ImageHeader, named name: String, _ finder: any ImageFinder,
    _ cancellation: Cancellation
  ) throws(CheckpointError) -> Chain? {
    guard header.parent != nil else { return nil }
    var resolver = ChainResolver(finder, cancellation: cancellation)
    let found = try resolver.ancestors(of: header, named: name, fileID: nil)
    if let obstacle = found.obstacle { throw obstacle }
    return try Chain(found.images)
  }

  private let evidence: SalvageEvidence
  private let parent: Chain?
  private let output: any ByteSink
  private let pool: WorkerPool
  private let tally = SalvageTally()

  private init(
    _ evidence: SalvageEvidence, _ parent: Chain?, _ output: any ByteSink, _ pool: WorkerPool
  ) {
    self.evidence = evidence
    self.parent = parent
    self.output = output
    self.pool = pool
  }

  private func run(
    _ provenance: Provenance, _ progress: (Double?) -> Void, _ ending: (inout Provenance) -> Void
  ) throws(CheckpointError) -> Result {
    var header = evidence.header
    // Pages come in the order of their regions, states last.
    header.ascendingUnique = false
    header.features = Features(
      header.features.named.filter { $0.class != .dropOnRewrite })
    let writer = try ImageWriter(header, parent: parent, to: output)
    try Pipeline(SalvageSource(evidence, tally), on: pool)
      .resolveDeferred()
      .packRegions()
      .compress(CodecSettings(), proving: true)
      .run(into: writer, progress: progress)
    let counts = tally.counts
    let lost = RangeList(counts.lost).ranges
    let layout = try keepLayout(writer)
    var provenance = provenance
    describe(lost, layout, in: &provenance)
    ending(&provenance)
    let summary = try writer.seal(
      evidence.provenance + [provenance], complete: false,
      layout: layout == .kept ? .canonical : LayoutKind.none)
    return Result(
      image: summary, indexed: counts.indexed, unindexed: counts.unindexed, others: counts.others,
      lost: lost, unknown: evidence.unknown.ranges, records: evidence.records.count,
      recordsAreComplete: !evidence.lostKinds.contains(.record), layout: layout,
      historyIsComplete: !evidence.lostKinds.contains(.provenance),
      findings: evidence.findings + counts.findings,
      isSameMoment: evidence.root.map { $0.checkpointID == summary.checkpointID })
  }

  /// Carries the layout over if all of it is there, all records, and every page at least by name: an export
  /// fails at an unreadable page, but would not miss one that is gone. The layout becomes canonical: an exact
  /// one would have to be proved.
  private func keepLayout(_ writer: ImageWriter) throws(CheckpointError) -> Result.Layout {
    let wasThere = !evidence.layout.isEmpty || evidence.root.map { $0.layout != .none } ?? false
    guard evidence.unknown.ranges.isEmpty, !evidence.layout.isEmpty,
      evidence.lostKinds.isDisjoint(with: [.record, .layout])
    else { return wasThere || evidence.lostKinds.contains(.layout) ? .lost : .none }
    var records = 0
    var hasPages = false
    for offset in evidence.layout {
      for item in try evidence.layoutItems(at: offset) {
        if case .record = item { records += 1 }
        if case .pages = item { hasPages = true }
      }
    }
    guard records == evidence.records.count, hasPages else { return .lost }
    for offset in evidence.layout {
      for item in try evidence.layoutItems(at: offset) { try writer.receive(.layout(item)) }
    }
    try writer.finish()
    return .kept
  }

  private func describe(
    _ lost: [Range<PFN>], _ layout: Result.Layout, in provenance: inout Provenance
  ) {
    let source = ImageName.last(evidence.file.name)
    if !source.isEmpty { provenance.add("salvage.source", source) }
    provenance.add("salvage.lost", Self.text(lost))
    provenance.add("salvage.unknown", Self.text(evidence.unknown.ranges))
    provenance.add(
      "salvage.records", evidence.lostKinds.contains(.record) ? "incomplete" : "complete")
    provenance.add("salvage.layout", layout.rawValue)
  }

  /// `16-31,40`: the first ranges of PFNs.
  private static func text(_ ranges: [Range<PFN>]) -> String {
    let named = ranges.prefix(mostNamedRanges).map { range in
      range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound - 1)"
    }
    let rest = ranges.count - named.count
    return (named + (rest > 0 ? ["and \(rest) more"] : [])).joined(separator: ",")
  }
}
