package import CheckpointImage
internal import Storage

/// A source, and what happens to its events on their way to a sink: every tool's work is one of these.
///
/// A pipeline is put together step by step, in the order in which events pass: each step is there only for the
/// events it takes, and `run` only for a sink that takes what comes out. Steps pass events on in the order in which
/// they came; those that work on several cores wait for the oldest. An error of the source, a step or the sink ends
/// the run, and nothing more is taken.
///
/// | work | source | steps | sink |
/// |---|---|---|---|
/// | capture | a `DescribedSource` | `evict`, `digestPages`, `dropUnchanged`, `packRegions`, `compress` | `ImageWriter` |
/// | merge | `MergeSource` | `resolveDeferred`, `packRegions`, `compress` (proving) | `ImageWriter` |
/// | salvage | `SalvageSource` | `resolveDeferred`, `packRegions`, `compress` (proving) | `ImageWriter` |
/// | export of a stream | `ChainStream` | `resolveDeferred` | `XenStreamWriter` |
/// | export of memory | `ChainPages` | `resolveDeferred` | `RawWriter`, `RunWriter` |
/// | export to kdump | `ChainPages` | `resolveDeferred`, `compressEachPage` | `KdumpWriter` |
package struct Pipeline<SourceEvent, Event> {
  private let source: any EventSource<SourceEvent>
  private let pool: WorkerPool
  /// Puts the steps in front of a sink.
  private let chain: (any EventSink<Event>) -> any EventSink<SourceEvent>

  private init(
    _ source: any EventSource<SourceEvent>, _ pool: WorkerPool,
    _ chain: @escaping (any EventSink<Event>) -> any EventSink<SourceEvent>
  ) {
    self.source = source
    self.pool = pool
    self.chain = chain
  }

  /// The same pipeline with one more step behind the others.
  func appending<Next>(
    _ step: @escaping (any EventSink<Next>, WorkerPool) -> any EventSink<Event>
  ) -> Pipeline<SourceEvent, Next> {
    Pipeline<SourceEvent, Next>(source, pool) { [pool, chain] next in chain(step(next, pool)) }
  }

  /// Moves every event of the source through the steps into `sink`, and reports to `progress` how far it is.
  package func run(into sink: any EventSink<Event>, progress: (Double?) -> Void = { _ in })
    throws(CheckpointError)
  {
    let first = chain(sink)
    while let event = try source.next() {
      try pool.cancellation.check()
      try first.receive(event)
      progress(source.fractionDone)
    }
    try first.finish()
  }
}

extension Pipeline where SourceEvent == Event {
  /// A pipeline without steps.
  package init(_ source: any EventSource<SourceEvent>, on pool: WorkerPool) {
    self.init(source, pool) { $0 }
  }
}

extension Pipeline where Event == CheckpointEvent<PageBatch> {
  /// Takes away the contents of pages that are not to be saved, and counts them.
  package func evict(_ plan: EvictionPlan, _ tally: EvictionTally) -> Self {
    plan.isEmpty ? self : appending { next, _ in Eviction(plan, tally, next: next) }
  }

  /// Finds zero pages and computes the digests of the others, on all cores.
  package func digestPages() -> Pipeline<SourceEvent, CheckpointEvent<RegionContent>> {
    appending { next, pool in
      let digests = PageDigests()
      return ParallelStep(pool, next: next) { event in
        event.map { batch in Deferred { .pages(digests.compute(batch)) } }
      }
    }
  }
}

extension Pipeline where Event == CheckpointEvent<RegionContent> {
  /// Leaves out what is the same in the parent; without one, nothing is.
  package func dropUnchanged(_ parent: (any ParentMemory)?) throws(CheckpointError) -> Self {
    guard let parent else { return self }
    let records = try parent.records()
    return appending { next, pool in
      UnchangedPages(parent: parent, records, pool.cancellation, next: next)
    }
  }

  /// Gathers pages to be stored into full batches; the others become extents.
  package func packRegions() -> Pipeline<SourceEvent, CheckpointEvent<PackedContent>> {
    appending { next, pool in RegionPacking(pool, next: next) }
  }
}

extension Pipeline where Event == CheckpointEvent<PackedContent> {
  /// Compresses, on all cores.
  ///
  /// - Parameter proving: every region is expanded and hashed again, so that nothing is written that cannot be
  ///   read back.
  package func compress(_ settings: CodecSettings, proving: Bool)
    -> Pipeline<SourceEvent, CheckpointEvent<[EncodedRegion]>>
  {
    appending { next, pool in
      let encoding = RegionEncoding(settings, proving: proving, pool.buffers)
      return ParallelStep(pool, next: next) { event in
        event.map { content in
          switch content {
          case .pages(let batch):
            Deferred { () throws(CheckpointError) in try encoding.encode(batch) }
          case .regions(let regions): Deferred { regions }
          }
        }
      }
    }
  }
}

extension Pipeline {
  /// Works out what the source deferred, on all cores.
  package func resolveDeferred<Pages>() -> Pipeline<SourceEvent, CheckpointEvent<Pages>>
  where Event == CheckpointEvent<Deferred<Pages>> {
    appending { next, pool in ParallelStep(pool, next: next) { $0.map { $0 } } }
  }

  /// Works out what the source deferred, on all cores.
  package func resolveDeferred<Value>() -> Pipeline<SourceEvent, Value>
  where Event == Deferred<Value> {
    appending { next, pool in ParallelStep(pool, next: next) { .job($0) } }
  }
}

extension Pipeline where Event == PageBatch {
  /// Compresses each page that has contents by itself, on all cores.
  package func compressEachPage(_ settings: CodecSettings) -> Pipeline<SourceEvent, [EncodedRegion]>
  {
    appending { next, pool in
      var single = settings
      single.regionPages = 1
      let encoding = RegionEncoding(single, proving: false, pool.buffers)
      return ParallelStep(pool, next: next) { batch in
        .job(Deferred { () throws(CheckpointError) in try encoding.encode(batch) })
      }
    }
  }
}

extension CheckpointEvent {
  /// What a step that works on pages makes of an event: a piece of work, or the event as it is.
  fileprivate func map<Next>(_ transform: (Pages) -> Deferred<Next>)
    -> ParallelStep<Self, CheckpointEvent<Next>>.Item
  {
    switch self {
    case .pages(let pages):
      let deferred = transform(pages)
      return .job(
        Deferred<CheckpointEvent<Next>> { () throws(CheckpointError) in
          .pages(try deferred.work())
        })
    case .states(let extent): return .ready(.states(extent))
    // Records may be large: they are not collected behind pages.
    case .record(let record): return .large(.record(record))
    case .layout(let item): return .ready(.layout(item))
    case .newPass: return .ready(.newPass)
    }
  }
}
