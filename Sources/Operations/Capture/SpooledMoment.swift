package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
internal import Storage

/// The moment of a source that can be read only once, in a temporary image: there it waits until it is known
/// which of its pages are to be saved.
package final class SpooledMoment {
  /// The moment.
  package let chain: Chain
  /// The name used in messages.
  package let name: String
  /// What the source is.
  package let facts: SourceFacts
  /// Each page is to be looked at again, so that no region can be taken over as it is.
  private let recoding: Bool

  /// Reads `source` to its end into a file without a name.
  ///
  /// - Parameter settings: how regions are made that are taken over as they are; nil if each page will be
  ///   looked at again.
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

  /// What is written of it, without the contents of the pages in a plan.
  func events(evicting plan: EvictionPlan) throws(CheckpointError) -> MergeSource {
    try MergeSource(chain, span: 1, recoding: recoding, evicting: plan)
  }
}
