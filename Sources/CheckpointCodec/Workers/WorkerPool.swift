internal import CheckpointImage
internal import Dispatch
internal import Glibc
package import Storage
internal import Synchronization

/// Runs pieces of work on several cores, in the order in which they are given.
package final class WorkerPool: Sendable {
  /// How many pieces run at once.
  package let width: Int
  /// Whether the work is to stop; given by whoever started it.
  package let cancellation: Cancellation
  /// Memory for pages, which pieces of work hand on to each other. It stays as large as it once had to be.
  package let buffers = PageBufferPool()
  private let hasThreads: Bool
  private let queue = DispatchQueue(label: "vmckpt.workers", attributes: .concurrent)
  private let underWay = DispatchGroup()
  private let waiting = WaitingWork()

  /// A pool as wide as the machine, or of the given width.
  package init(width: Int? = nil, cancellation: Cancellation = Cancellation()) {
    self.cancellation = cancellation
    self.width = max(1, width ?? Self.processors)
    hasThreads = true
  }

  /// A pool without threads: each piece is worked off by whoever starts it, in the same order every time.
  package init(threadless: Void) {
    width = 1
    cancellation = Cancellation()
    hasThreads = false
  }

  // Work that nobody waits for any more, after an error, ends before the process does: a library may
  // not be used once it has cleaned up at exit.
  deinit { underWay.wait() }

  /// The number of processors in use by this machine.
  package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Starts a piece of work, as soon as fewer than `width` are running.
  func start<Value: Sendable>(
    _ work: @escaping @Sendable () throws(CheckpointError) -> Value
  ) -> Future<Value> {
    let job = Future<Value>()
    let piece: @Sendable () -> Void = {
      do throws(CheckpointError) {
        job.complete(.success(try work()))
      } catch {
        job.complete(.failure(error))
      }
    }
    guard hasThreads else {
      piece()
      return job
    }
    guard waiting.mayStart(piece, width: width) else { return job }
    queue.async(group: underWay) { [waiting] in
      var next: (@Sendable () -> Void)? = piece
      while let piece = next {
        piece()
        next = waiting.next()
      }
    }
    return job
  }
}

/// Pieces of work that wait until another one ends.
private final class WaitingWork: Sendable {
  private struct State {
    var running = 0
    /// A piece that was taken leaves nil: it may hold on to much memory.
    var pieces: [(@Sendable () -> Void)?] = []
    var first = 0
  }

  private let state = Mutex(State())

  /// Whether a piece may run at once; if not, it waits.
  func mayStart(_ piece: @escaping @Sendable () -> Void, width: Int) -> Bool {
    state.withLock { state in
      guard state.running == width else {
        state.running += 1
        return true
      }
      state.pieces.append(piece)
      return false
    }
  }

  /// The piece to be run by whoever has just ended one.
  func next() -> (@Sendable () -> Void)? {
    state.withLock { state in
      guard state.first < state.pieces.count else {
        state.running -= 1
        return nil
      }
      let piece = state.pieces[state.first].take()
      state.first += 1
      if state.first == state.pieces.count || state.first > 64 {
        state.pieces.removeFirst(state.first)
        state.first = 0
      }
      return piece
    }
  }
}
