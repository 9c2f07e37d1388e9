package import CheckpointImage
internal import Storage

/// Pieces of work whose results come out in the order in which they were put in; bounded, so that a
/// slow taker holds back a fast giver.
package struct OrderedLane<Value: Sendable> {
  private let pool: WorkerPool
  private let window: Int
  /// A result that was taken leaves nil: it may hold on to much memory.
  private var jobs: [Future<Value>?] = []
  private var first = 0

  /// A lane with enough pieces under way that no core waits for the thread that gives and takes.
  package init(_ pool: WorkerPool) {
    self.pool = pool
    window = 2 * pool.width + 2
  }

  /// Whether a result must be taken before the next `start`.
  package var isFull: Bool { jobs.count - first >= window }

  /// Whether nothing is under way.
  package var isEmpty: Bool { jobs.count == first }

  /// Starts a piece of work.
  package mutating func start(_ work: @escaping @Sendable () throws(CheckpointError) -> Value) {
    jobs.append(pool.start(work))
  }

  /// Waits for the oldest piece and gives its result.
  package mutating func next() throws(CheckpointError) -> Value {
    guard first < jobs.count, let job = jobs[first].take() else {
      throw CheckpointError(.refused, "a result was asked for that nobody works out")
    }
    first += 1
    if first > 64 {
      jobs.removeFirst(first)
      first = 0
    }
    return try job.wait()
  }
}
