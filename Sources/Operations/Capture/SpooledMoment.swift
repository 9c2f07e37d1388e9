package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
internal import Storage

/// The moment of a source that can be read only once, stored in a temporary image until it is known which pages
/// to evict.
package final class SpooledMoment {
  /// The temporary image.
  package let chain: Chain
  /// The name used in messages.
  package let name: String
  /// Describes the source.
  package let facts: SourceFacts
  /// Whether each page must be examined again, so that regions cannot be copied unchanged.
  private let recoding: Bool

  /// Reads `source` to its end into an unlinked file.
  ///
  /// - Parameter settings: how regions are compressed that will be copied unchanged; nil if each page will be
  ///   examined again.
  package init(
    _ source: any DescribedSource, _ settings: CodecSettings?, on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in }
  ) throws(CheckpointError) {
    recoding = settings == nil
    let file = try TemporaryFile(cancellation: pool.cancellation)
    let output = OutputPipe(
      file.descriptor, name: source.name, cancellation: pool.cancellation)
    let capture = Capture(settings: settings ?? CodecSettings(codec: .none), parent: nil)
    _ = try capture.run(.source(source), to: output, on: pool, progress: progress)
    guard try !(source.series?.beginNextMoment() ?? false) else {
      throw CheckpointError(
        .refused, "is a checkpointed stream of several moments", file: source.name,
        hint: .evictWhenMerging)
    }
    chain = try Chain([
      ImageFile(LocalFile(file, name: source.name), cancellation: pool.cancellation)
    ])
    name = source.name
    var facts = source.facts
    facts.ascendingUnique = false
    self.facts = facts
  }

  /// The moment's events; the pages of a plan are evicted.
  func events(evicting plan: EvictionPlan, on pool: WorkerPool) throws(CheckpointError)
    -> MergeSource
  {
    try MergeSource(chain.readingAhead(), span: 1, recoding: recoding, evicting: plan, on: pool)
  }
}
