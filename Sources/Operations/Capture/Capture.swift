package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
package import Storage

/// Writes the image of a source: a base, or an increment by content.
package struct Capture {
  /// The result of a capture.
  package struct Result {
    /// The new image.
    package var image: ImageWriter.Summary
    /// What became of the pages that were to be evicted.
    package var evicted: EvictionTally
    /// What was odd in the source.
    package var remarks: [SourceRemark]
  }

  /// How regions are compressed.
  package var settings: CodecSettings
  /// The moment the increment is to be based on; nil for a base.
  package var parent: ParentState?
  /// What the caller knows of when and how; facts of the source are added.
  package var provenance: Provenance
  /// Whether an unfinished image is kept for a salvage.
  package var keepsUnfinished = true

  /// A capture with these settings.
  package init(
    settings: CodecSettings, parent: ParentState?, provenance: Provenance = Provenance()
  ) {
    self.settings = settings
    self.parent = parent
    self.provenance = provenance
  }

  /// Reads `input` to its end and writes the image to `output`, without committing it.
  ///
  /// - Parameter ending: adds to the provenance what is known only at the end.
  package func run(
    _ input: CaptureInput, to output: any ByteSink, on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in },
    ending: (inout Provenance) throws(CheckpointError) -> Void = { _ in }
  ) throws(CheckpointError) -> Result {
    let facts = input.facts
    try checkGuest(facts)
    try parent?.checkStays(output)
    let header = ImageHeader(
      architecture: facts.architecture, captureID: Self.randomID(),
      parent: parent?.checkpointID, parentName: parent.map { ImageName.last($0.tip.name) } ?? "",
      // In such a source, vanished pages of the parent lie behind all others and can be stated last.
      ascendingUnique: facts.ascendingUnique)
    let writer = try ImageWriter(header, parent: parent, to: output)
    do throws(CheckpointError) {
      let tally = try write(input, to: writer, on: pool, progress)
      let image = try seal(writer, input, tally, ending)
      return Result(image: image, evicted: tally, remarks: input.facts.remarks)
    } catch {
      guard keepsUnfinished, Self.isWorthKeeping(error, output) else { throw error }
      throw Self.keep(writer, error, pagesComeOnce: facts.ascendingUnique)
    }
  }

  private func write(
    _ input: CaptureInput, to writer: ImageWriter, on pool: WorkerPool,
    _ progress: (Double?) -> Void
  ) throws(CheckpointError) -> EvictionTally {
    switch input {
    case .source(let source, let plan):
      let tally = EvictionTally()
      try store(
        Self.pipeline(source, on: pool).evict(plan, tally).digestPages(), to: writer, progress)
      return tally
    case .spooled(let moment, let plan):
      let events = try moment.events(evicting: plan, on: pool)
      try store(Pipeline(events, on: pool).resolveDeferred(), to: writer, progress)
      return events.tally
    }
  }

  private static func pipeline(_ source: some DescribedSource, on pool: WorkerPool)
    -> Pipeline<SourceEvent, SourceEvent>
  {
    Pipeline(source, on: pool)
  }

  private func store<Input>(
    _ pipeline: Pipeline<Input, CheckpointEvent<RegionContent>>, to writer: ImageWriter,
    _ progress: (Double?) -> Void
  ) throws(CheckpointError) {
    try pipeline
      .dropUnchanged(parent)
      .packRegions()
      .compress(settings, proving: false)
      .run(into: writer, progress: progress)
  }

  private func seal(
    _ writer: ImageWriter, _ input: CaptureInput, _ tally: EvictionTally,
    _ ending: (inout Provenance) throws(CheckpointError) -> Void
  ) throws(CheckpointError) -> ImageWriter.Summary {
    // Some facts are known only at the end.
    let facts = input.facts
    try checkGuest(facts)
    var provenance = provenance
    provenance.add("source.kind", facts.kind)
    var moment = facts.moment
    moment.obstacles.formUnion(tally.obstacles)
    moment.add(to: &provenance)
    for (key, value) in facts.fields + tally.fields { provenance.add(key, value) }
    for remark in facts.remarks {
      provenance.add(
        remark.weight == .incomplete ? "source.incomplete" : "source.remark",
        remark.what.description)
    }
    try ending(&provenance)
    return try writer.seal(
      [provenance], complete: !(input.series?.isDifference ?? false),
      vanished: facts.mayLackPages ? .unreadable : .unpopulated, layout: input.layoutKind)
  }

  /// Whether what was captured before this error is worth keeping, as it may be all that remains of the moment:
  /// after a cancellation, or if the source is cut short or damaged. Not if the request itself failed, nor if
  /// the output cannot be written, usually because the disk is full.
  private static func isWorthKeeping(_ error: CheckpointError, _ output: any ByteSink) -> Bool {
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
    error.reason += "; what was captured so far is in \(kept)"
    // That is the better way, if there is one.
    if error.hint != .keepUncertain { error.hint = .salvage(file: kept, pages: pagesComeOnce) }
    return error
  }

  private static func randomID() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  /// An increment on another guest's memory would be valid but useless.
  private func checkGuest(_ facts: SourceFacts) throws(CheckpointError) {
    guard let parent else { return }
    guard parent.tip.header.architecture == facts.architecture else {
      throw CheckpointError(
        .mismatch,
        "cannot be the parent: it holds another kind of guest than the source, which is \(facts.kind)",
        file: parent.tip.name)
    }
    let before = MomentFacts(try parent.tip.provenance())
    guard let difference = facts.moment.differences(from: before).first else { return }
    throw CheckpointError(
      .mismatch,
      "cannot be the parent: it is an image of another guest: \(difference.fact) "
        + "\(difference.before), that of the source is \(difference.after)",
      file: parent.tip.name)
  }
}
