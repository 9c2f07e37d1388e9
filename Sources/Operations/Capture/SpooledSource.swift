package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
internal import Storage

/// The moment of a source that can be read only once, in a temporary image: there it waits until it is known
/// which of its pages are to be saved.
package final class SpooledSource: DescribedSource {
  /// The moment.
  package let chain: Chain
  /// The name used in messages.
  package let name: String
  /// What the source is.
  package let facts: SourceFacts
  /// How faithful the recorded layout is.
  package var layoutKind: LayoutKind? { chain.tip.root.layout }
  /// How much of the image was given out.
  package var fractionDone: Double? { events?.fractionDone }
  /// What became of the pages that were to be left out.
  package var tally: EvictionTally? { events?.tally }

  private let settings: CodecSettings?
  private var events: MergeSource?

  /// Reads `source` to its end into a file without a name.
  ///
  /// - Parameter settings: how regions are made that are handed on as they are; nil if each page will be
  ///   looked at again.
  package init(
    _ source: any DescribedSource, _ settings: CodecSettings?, on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in }
  ) throws(CheckpointError) {
    self.settings = settings
    let file = try TemporaryFile()
    let output = OutputFile(file, name: source.name)
    let capture = Capture(settings: settings ?? CodecSettings(codec: .none), parent: nil)
    _ = try capture.run(source, to: output, on: pool, progress: progress)
    guard try !source.beginNextMoment() else {
      throw CheckpointError(
        .refused,
        "is a checkpointed stream of several moments: capture it whole, and leave pages out of its images "
          + "with ckpt-merge --evict", file: source.name)
    }
    chain = try Chain([ImageFile(InputFile(file, name: source.name))])
    name = source.name
    var facts = source.facts
    facts.ascendingUnique = false
    self.facts = facts
  }

  /// Begins to give events, without the contents of the pages in a plan.
  package func begin(evicting plan: EvictionPlan) throws(CheckpointError) {
    events = try MergeSource(chain, span: 1, recoding: settings == nil, evicting: plan)
  }

  /// The next event.
  package func next() throws(CheckpointError) -> CheckpointEvent? { try events?.next() }
}
