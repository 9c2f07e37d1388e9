package import CheckpointImage

/// What flows from a chain into a stream that is written as its source was: in the order of the layout, each record
/// behind its item, pages behind theirs.
package enum StreamEvent<Pages: Sendable>: Sendable {
  /// How the source laid out its bytes.
  case layout(LayoutItem)
  /// A part of the machine's state.
  case record(MachineRecord)
  /// Pages, in the order in which they are written.
  case pages(Pages)
}

extension Pipeline {
  /// Works out what the source deferred, on all cores.
  package func resolveDeferred<Pages>() -> Pipeline<SourceEvent, StreamEvent<Pages>>
  where Event == StreamEvent<Deferred<Pages>> {
    appending { next, pool in
      ParallelStep(pool, next: next) { event in
        switch event {
        case .pages(let deferred):
          .job(Deferred { () throws(CheckpointError) in .pages(try deferred.work()) })
        case .record(let record): .large(.record(record))
        case .layout(let item): .ready(.layout(item))
        }
      }
    }
  }
}
