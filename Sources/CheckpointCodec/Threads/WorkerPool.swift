public import CheckpointImage
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Runs pieces of work on all cores.
public final class WorkerPool: Sendable {
  /// How many pieces run at once.
  public let width: Int
  private let queue = DispatchQueue(label: "vmckpt.workers", attributes: .concurrent)
  private let underWay = DispatchGroup()

  /// A pool as wide as the machine, or of the given width.
  public init(width: Int? = nil) {
    self.width = max(1, width ?? Self.processors)
  }

  // Work that nobody waits for any more, after an error, ends before the process does: a library may
  // not be used once it has cleaned up at exit.
  deinit { underWay.wait() }

  /// The number of processors in use by this machine.
  public static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Starts a piece of work.
  func start<Value: Sendable>(
    _ work: @escaping @Sendable () throws(CheckpointError) -> Value
  ) -> Job<Value> {
    let job = Job<Value>()
    queue.async(group: underWay) {
      do throws(CheckpointError) {
        job.complete(.success(try work()))
      } catch {
        job.complete(.failure(error))
      }
    }
    return job
  }
}

/// A piece of work under way.
final class Job<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, CheckpointError>?>(nil)
  private let done = DispatchSemaphore(value: 0)

  fileprivate func complete(_ value: Result<Value, CheckpointError>) {
    result.withLock { $0 = value }
    done.signal()
  }

  /// Waits for the end; may be called once.
  func wait() throws(CheckpointError) -> Value {
    done.wait()
    guard let value = result.withLock({ $0.take() }) else {
      throw CheckpointError(.refused, "a result was asked for twice")
    }
    return try value.get()
  }
}

/// Pieces of work whose results come out in the order in which they were put in; bounded, so that a
/// slow taker holds back a fast giver.
public struct OrderedLane<Value: Sendable> {
  private let pool: WorkerPool
  private let window: Int
  private var jobs: [Job<Value>] = []
  private var first = 0

  /// A lane with up to `window` pieces under way.
  public init(_ pool: WorkerPool, window: Int) {
    self.pool = pool
    self.window = window
  }

  /// Whether a result must be taken before the next `start`.
  public var isFull: Bool { jobs.count - first >= window }

  /// Whether nothing is under way.
  public var isEmpty: Bool { jobs.count == first }

  /// Starts a piece of work.
  public mutating func start(_ work: @escaping @Sendable () throws(CheckpointError) -> Value) {
    jobs.append(pool.start(work))
  }

  /// Waits for the oldest piece and gives its result.
  public mutating func next() throws(CheckpointError) -> Value {
    let job = jobs[first]
    first += 1
    if first > 64 {
      jobs.removeFirst(first)
      first = 0
    }
    return try job.wait()
  }
}
