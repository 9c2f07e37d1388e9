package import CheckpointCodec
package import CheckpointImage
package import Storage
/// Makes one image of several: a base of a whole chain, or one increment of a span.
package struct Merge {
  /// What is wanted.
  package struct Options: Sendable {
    /// The checkpoint ID of the ancestor that stays the parent; nil for a base.
    package var onto: Digest?
    /// Compress everything anew; nil keeps what can be kept.
    package var settings: CodecSettings?
    /// Pages that are not to be saved any more.
    package var evicted = EvictionPlan()
    /// Whole-file facts to be added to the provenance.
    package var provenance: Provenance

    /// Makes options.
    package init(onto: Digest? = nil, settings: CodecSettings? = nil, provenance: Provenance) {
      self.onto = onto
      self.settings = settings
      self.provenance = provenance
    }
  }

  /// What came of it.
  package struct Result {
    /// The new image.
    package var image: ImageWriter.Summary
    /// Images merged.
    package var images: Int
    /// What became of the regions.
    package var regions: MergeTally.Counts
    /// What became of the pages that were not to be saved any more.
    package var evicted: EvictionTally
  }

  /// Merges `chain` into `output`, which is not committed.
  ///
  /// Before this returns, every copied region's checksum was compared, every rewritten region was
  /// expanded and hashed, and the memory digest of the new index is the tip's, or what the plan makes of it.
  package static func run(
    _ chain: Chain, _ options: Options, to output: any ByteSink, on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in }
  ) throws(CheckpointError) -> Result {
    let span = try span(chain, onto: options.onto)
    let parent = span < chain.images.count ? try chain.ancestor(span) : nil
    try parent?.checkStays(output)
    let tip = chain.tip
    var header = ImageHeader(
      architecture: tip.header.architecture, captureID: tip.header.captureID,
      parent: parent?.checkpointID,
      parentName: parent.map { ImageName.last($0.tip.name) } ?? "")
    header.addressSpace = tip.header.addressSpace
    for feature in tip.header.features.named where feature.class == .compatible {
      header.features.insert(feature)
    }
    header.alignmentShift = tip.header.alignmentShift
    let writer = try ImageWriter(header, parent: parent, to: output)
    let source = try store(chain, span: span, options, in: writer, on: pool, progress: progress)
    try copyOthers(of: tip, to: writer)
    var provenance = options.provenance
    for (key, value) in source.tally.fields { provenance.add(key, value) }
    var facts = MomentFacts()
    facts.obstacles = source.tally.obstacles
    facts.addObstacles(to: &provenance)
    let summary = try writer.seal(
      try tip.provenance() + [provenance], complete: false,
      layout: tip.root.layout, expecting: source.memory)
    let expected = Identity.checkpoint(
      captureID: tip.header.captureID, memory: source.memory, state: tip.root.state)
    guard summary.checkpointID == expected else {
      throw CheckpointError(
        .damaged,
        "checkpoint ID of the result: found \(summary.checkpointID), expected \(expected)",
        file: output.name)
    }
    return Result(
      image: summary, images: span, regions: source.counts, evicted: source.tally)
  }

  /// What is left of a source whose events are all stored. What was read ahead for them is gone, for the index takes
  /// memory as well.
  private struct Stored {
    var memory: Digest
    var tally: EvictionTally
    var counts: MergeTally.Counts
  }

  private static func store(
    _ chain: Chain, span: Int, _ options: Options, in writer: ImageWriter, on pool: WorkerPool,
    progress: (Double?) -> Void
  ) throws(CheckpointError) -> Stored {
    // Index blocks come first, then regions image by image, in the order of the files, with blocks of all images.
    let chain = chain.readingAhead(pieces: chain.images.count + 1)
    try ChainStream.checkLayout(of: chain)
    let source = try MergeSource(
      chain, span: span, recoding: options.settings != nil, evicting: options.evicted, on: pool)
    try Pipeline(source, on: pool)
      .resolveDeferred()
      .packRegions()
      .compress(options.settings ?? CodecSettings(), proving: true)
      .run(into: writer, progress: progress)
    return Stored(memory: source.memory, tally: source.tally, counts: source.counts)
  }

  private static func span(_ chain: Chain, onto: Digest?) throws(CheckpointError) -> Int {
    guard let onto else { return chain.images.count }
    guard let place = chain.images.firstIndex(where: { $0.root.checkpointID == onto }) else {
      throw CheckpointError(
        .mismatch, "checkpoint \(onto) is not among its ancestors",
        file: chain.tip.name)
    }
    guard place > 0 else {
      throw CheckpointError(
        .refused, "is the image to be merged: it can only be merged onto an ancestor",
        file: chain.tip.name)
    }
    return place
  }

  /// Segments of unknown kinds that may be carried along.
  private static func copyOthers(of tip: ImageFile, to writer: ImageWriter) throws(CheckpointError)
  {
    for entry in tip.root.directory
    where SegmentKind(rawValue: entry.rawKind) == nil
      && entry.flags & SegmentFrame.copySafe != 0
    {
      try writer.copy(entry, body: try tip.body(of: entry))
    }
  }
}
