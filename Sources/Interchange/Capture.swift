public import CheckpointChain
public import CheckpointCodec
public import CheckpointImage

/// Makes an image of a source: a base, or an increment by content.
public struct Capture {
  /// How regions are made.
  public var settings: CodecSettings
  /// The moment the increment is to be based on; nil for a base.
  public var parent: RunningMoment?
  /// What the caller knows of when and how; facts of the source are added.
  public var provenance: Provenance

  /// Prepares a capture.
  public init(settings: CodecSettings, parent: RunningMoment?, provenance: Provenance) {
    self.settings = settings
    self.parent = parent
    self.provenance = provenance
  }

  /// Reads `source` to its end and writes the image to `output`, which is not committed.
  ///
  /// - Parameter ending: adds what is known only at the end to the provenance.
  public func run(
    _ source: any DescribedSource, to output: OutputFile, on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in },
    ending: (inout Provenance) throws(CheckpointError) -> Void = { _ in }
  ) throws(CheckpointError) -> ImageWriter.Summary {
    try checkGuest(source.facts)
    try parent?.checkStays(output)
    let header = ImageHeader(
      architecture: source.facts.architecture, captureID: Self.randomID(),
      parent: parent?.checkpointID, parentName: parent.map { ImageName.last($0.tip.name) } ?? "",
      // Pages that vanished are stated last, whatever their place.
      ascendingUnique: source.facts.ascendingUnique && parent == nil)
    let writer = try ImageWriter(header, parent: parent, to: output)
    var steps: [Pipeline.Step] = [.digestPages]
    if let parent { steps.append(.dropUnchanged(parent)) }
    steps += [.packRegions, .compress(settings, proving: false)]
    try Pipeline(steps, into: writer, on: pool).run(source, progress: progress)
    // Some facts are known only now.
    try checkGuest(source.facts)
    var provenance = provenance
    provenance.add("source.kind", source.facts.kind)
    for (key, value) in source.facts.fields { provenance.add(key, value) }
    try ending(&provenance)
    return try writer.seal(
      [provenance], complete: !source.isDifference, layout: source.layoutKind)
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
    let history = try Merge.provenance(of: parent.tip)
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
