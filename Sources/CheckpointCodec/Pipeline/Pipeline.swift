package import CheckpointImage
internal import Storage

/// A chain of steps between a source and a sink: every tool's work is one of these.
package struct Pipeline {
  /// What happens to events on their way.
  package enum Step {
    /// Takes away the contents of pages that are not to be saved, and counts them.
    case evict(EvictionPlan, EvictionTally)
    /// Finds zero pages and computes digests.
    case digestPages
    /// Leaves out what is the same in the parent.
    case dropUnchanged(any ParentMemory)
    /// Works out deferred events.
    case perform
    /// Gathers pages to be stored into full batches.
    case packRegions
    /// Compresses; with `proving`, expands and hashes again.
    case compress(CodecSettings, proving: Bool)
  }

  private let first: any CheckpointSink

  /// A chain of `steps`, in this order, that ends in `sink`.
  package init(_ steps: [Step], into sink: any CheckpointSink, on pool: WorkerPool) {
    first = steps.reversed().reduce(sink) { next, step in
      switch step {
      case .evict(let plan, let tally):
        Eviction(plan, tally, next: next)
      case .digestPages:
        ParallelStep(pool, next: next) { event in
          guard case .pages(let batch) = event else { return nil }
          return { .pages(PageDigests.compute(batch)) }
        }
      case .dropUnchanged(let parent):
        UnchangedPages(parent: parent, next: next)
      case .perform:
        ParallelStep(pool, next: next) { event in
          guard case .deferred(let work) = event else { return nil }
          return work
        }
      case .packRegions:
        RegionPacking(next: next)
      case .compress(let settings, let proving):
        ParallelStep(pool, next: next) { event in
          guard case .pages(let batch) = event else { return nil }
          return { () throws(CheckpointError) -> CheckpointEvent in
            .regions(try RegionEncoding.encode(batch, settings, proving: proving))
          }
        }
      }
    }
  }

  /// Moves every event of `source` through the steps, and tells `progress` how far it is.
  package func run(_ source: some CheckpointSource, progress: (Double?) -> Void = { _ in })
    throws(CheckpointError)
  {
    while let event = try source.next() {
      try Interruption.check()
      try first.receive(event)
      progress(source.fractionDone)
    }
    try first.finish()
  }
}
