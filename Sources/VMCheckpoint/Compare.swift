internal import CheckpointChain
internal import CheckpointCodec
public import CheckpointImage

/// Pages that follow each other and differ between two moments in the same way.
public struct PageDifference: Hashable, Sendable {
  /// The page frame numbers.
  public var pages: Range<UInt64>
  /// What they were; unpopulated if the guest had no page there.
  public var before: PageState
  /// What they are.
  public var after: PageState
  /// Whether the contents differ; only if they are known for both moments.
  public var contentsDiffer: Bool
}

extension Checkpoint {
  /// The pages that differ between an earlier moment and this one, ascending, found from the indexes alone: no
  /// contents are read, and blocks of 2 MiB that are the same in both are passed over.
  ///
  /// - Throws: `.damaged` if an index cannot be trusted.
  public func differences(from earlier: Checkpoint) throws(CheckpointError) -> [PageDifference] {
    var found: [PageDifference] = []
    _ = try Difference(ChainPair(earlier.chain, chain)) { run in
      found.append(
        PageDifference(
          pages: run.pages, before: run.change.before.state, after: run.change.after.state,
          contentsDiffer: run.change.contentsDiffer))
    }
    return found
  }
}
