package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
package import Storage
/// Makes an image of a source: a base, or an increment by content.
package struct Capture {
  /// How regions are made.
  package var settings: CodecSettings
  /// The moment the increment is to be based on; nil for a base.
  package var parent: RunningMoment?
  /// Pages that are not to be saved.
  package var evicted = EvictionPlan()
  /// What the caller knows of when and how; facts of the source are added.
  package var provenance: Provenance
  /// Whether an unfinished image is left behind for a salvage.
  package var keepsUnfinished = true
  private let tally = EvictionTally()

  /// Prepares a capture.
  package init(
    settings: CodecSettings, parent: RunningMoment?, provenance: Provenance = Provenance()
  ) {
    self.settings = settings
    self.parent = parent
    self.provenance = provenance
  }

  /// Reads `source` to its end and writes the image to `output`, which is not committed.
  ///
  /// - Parameter ending: adds what is known only at the end to the provenance.
  package func run(
    _ source: any DescribedSource, to output: OutputFile, on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in },
    ending: (inout Provenance) throws(CheckpointError) -> Void = { _ in }
  ) throws(CheckpointError) -> ImageWriter.Summary {
    try checkGuest(source.facts)
    try parent?.checkStays(output)
    let header = ImageHeader(
      architecture: source.facts.architecture, captureID: Self.randomID(),
      parent: parent?.checkpointID, parentName: parent.map { ImageName.last($0.tip.name) } ?? "",
      // Pages of the parent that vanished lie behind all others then, and are stated behind them.
      ascendingUnique: source.facts.ascendingUnique)
    let writer = try ImageWriter(header, parent: parent, to: output)
    do throws(CheckpointError) {
      return try write(source, to: writer, on: pool, progress, ending)
    } catch {
      guard keepsUnfinished, Self.isWorthKeeping(error, output) else { throw error }
      throw Self.keep(writer, error, pagesComeOnce: source.facts.ascendingUnique)
    }
  }

  /// What became of the pages that were not to be saved of a source.
  package func tally(of source: any DescribedSource) -> EvictionTally {
    (source as? SpooledSource)?.tally ?? tally
  }

  private func write(
    _ source: any DescribedSource, to writer: ImageWriter, on pool: WorkerPool,
    _ progress: (Double?) -> Void, _ ending: (inout Provenance) throws(CheckpointError) -> Void
  ) throws(CheckpointError) -> ImageWriter.Summary {
    let tally = tally(of: source)
    var steps: [Pipeline.Step] = [.perform]
    if !evicted.isEmpty { steps.append(.evict(evicted, tally)) }
    steps.append(.digestPages)
    if let parent { steps.append(.dropUnchanged(parent)) }
    steps += [.packRegions, .compress(settings, proving: false)]
    try Pipeline(steps, into: writer, on: pool).run(source, progress: progress)
    // Some facts are known only now.
    try checkGuest(source.facts)
    var provenance = provenance
    provenance.add("source.kind", source.facts.kind)
    for (key, value) in source.facts.fields { provenance.add(key, value) }
    tally.describe(in: &provenance)
    try ending(&provenance)
    return try writer.seal(
      [provenance], complete: !source.isDifference, layout: source.layoutKind)
  }

  /// Whether what was captured before this error may be all that is ever had of the moment: a signal, or a
  /// source that breaks off or is damaged. A request that cannot be met leaves nothing; nor does an output
  /// that cannot be written, which above all means a full disk.
  private static func isWorthKeeping(_ error: CheckpointError, _ output: OutputFile) -> Bool {
    switch error.kind {
    case .interrupted, .incomplete, .damaged, .unsupported: true
    case .io: error.file != output.name
    case .missingParent, .mismatch, .refused: false
    }
  }

  private static func keep(_ writer: ImageWriter, _ error: CheckpointError, pagesComeOnce: Bool)
    -> CheckpointError
  {
    guard let kept = writer.keepUnfinished() else { return error }
    var error = error
    error.reason +=
      "; what was captured until then is in \(kept): 'ckpt-verify --salvage FILE \(kept)' rescues"
      + (pagesComeOnce
        ? " what can be trusted of it"
        : " its records, but no page: in a stream, a later copy of each may have been missing")
    return error
  }

  private static func randomID() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  /// An increment on another guest's memory would be legal and useless.
  private func checkGuest(_ facts: SourceFacts) throws(CheckpointError) {
    guard let parent else { return }
    guard parent.tip.header.architecture == facts.architecture else {
      throw CheckpointError(
        .mismatch,
        "cannot be the parent: it holds another kind of guest than the source, which is \(facts.kind)",
        file: parent.tip.name)
    }
    let history = try parent.tip.provenance()
    for field in ["domain.uuid", "guest.type"] {
      guard let before = history.compactMap({ $0[field] }).last, let now = facts[field],
        before != now
      else { continue }
      throw CheckpointError(
        .mismatch,
        "cannot be the parent: it is an image of another guest: \(field) \(before), that of the "
          + "source is \(now)", file: parent.tip.name)
    }
  }
}
