internal import CheckpointImage

/// A step that works on some events on all cores and passes everything on in the order in which it came.
final class ParallelStep<Input, Output: Sendable>: EventSink {
  typealias Event = Input

  /// What becomes of an event.
  enum Item {
    /// It is worked on.
    case job(Deferred<Output>)
    /// It passes.
    case ready(Output)
    /// It passes, and is too large to be kept waiting behind others.
    case large(Output)
  }

  private enum Waiting {
    case job
    case ready(Output)
  }

  private static var longestLine: Int { 1024 }
  private let work: (Input) -> Item
  private let next: any EventSink<Output>
  private var lane: OrderedLane<Output>
  /// What stands in line, in order; the jobs' results are in the lane.
  private var line: [Waiting] = []

  init(_ pool: WorkerPool, next: any EventSink<Output>, _ work: @escaping (Input) -> Item) {
    self.work = work
    self.next = next
    lane = OrderedLane(pool)
  }

  func receive(_ event: Input) throws(CheckpointError) {
    switch work(event) {
    case .job(let job):
      if lane.isFull { try passOn(throughJobs: 1) }
      lane.start(job.work)
      line.append(.job)
    case .ready(let event):
      if line.isEmpty { return try next.receive(event) }
      line.append(.ready(event))
      if line.count == Self.longestLine { try passOn(throughJobs: .max) }
    case .large(let event):
      try passOn(throughJobs: .max)
      try next.receive(event)
    }
  }

  func finish() throws(CheckpointError) {
    try passOn(throughJobs: .max)
    try next.finish()
  }

  /// Passes on the line's head, through that many jobs and the events behind the last of them.
  private func passOn(throughJobs limit: Int) throws(CheckpointError) {
    var jobs = 0
    var done = 0
    for item in line {
      switch item {
      case .ready(let event):
        try next.receive(event)
      case .job:
        if jobs == limit {
          line.removeFirst(done)
          return
        }
        jobs += 1
        try next.receive(try lane.next())
      }
      done += 1
    }
    line.removeFirst(done)
  }
}
