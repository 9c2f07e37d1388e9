internal import CheckpointImage

/// A step that works on events of one kind on all cores and passes everything on in order.
final class ParallelStep: CheckpointSink {
  /// What a step makes of an event; nil if it lets the event pass.
  typealias Work =
    @Sendable (CheckpointEvent) -> (
      @Sendable () throws(CheckpointError) -> CheckpointEvent
    )?

  private enum Item {
    case job
    case event(CheckpointEvent)
  }

  private static let longestLine = 1024
  private let work: Work
  private let next: any CheckpointSink
  private var lane: OrderedLane<CheckpointEvent>
  /// What stands in line, in order; the jobs' results are in the lane.
  private var line: [Item] = []

  init(_ pool: WorkerPool, next: any CheckpointSink, _ work: @escaping Work) {
    self.work = work
    self.next = next
    lane = OrderedLane(pool)
  }

  func receive(_ event: CheckpointEvent) throws(CheckpointError) {
    guard let job = work(event) else {
      if line.isEmpty { return try next.receive(event) }
      line.append(.event(event))
      // Records may be large: they are not collected behind pages.
      if case .record = event { try passOn(throughJobs: .max) }
      if line.count == Self.longestLine { try passOn(throughJobs: .max) }
      return
    }
    if lane.isFull { try passOn(throughJobs: 1) }
    lane.start(job)
    line.append(.job)
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
      case .event(let event):
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
