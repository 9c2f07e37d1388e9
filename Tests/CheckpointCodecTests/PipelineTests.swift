@testable import CheckpointCodec
import CheckpointImage
import Dispatch
import Glibc
import Storage
import Synchronization
import TestSupport
import Testing

/// Events come out of parallel steps in the order in which they went in, and an error comes out once.
@Suite struct PipelineTests {
  private final class Source: EventSource {
    let fractionDone: Double? = nil
    private var given: UInt64 = 0
    private let count: UInt64
    private let failing: UInt64?

    init(count: UInt64, failing: UInt64? = nil) {
      self.count = count
      self.failing = failing
    }

    func next() throws(CheckpointError) -> CheckpointEvent<Deferred<PFN>>? {
      guard given < count else { return nil }
      let number = given
      given += 1
      // Two of three are worked out elsewhere, some of them slowly.
      guard number % 3 != 0 else {
        return .states(StateExtent(pfn: number, count: 1, status: PageStatus(.zero)))
      }
      return .pages(
        Deferred { [failing] () throws(CheckpointError) in
          if number == failing { throw CheckpointError(.damaged, "number \(number)") }
          var sum = number
          for step in 0..<(number % 7) * 1000 { sum = sum &* 31 &+ step }
          return sum == 1 ? 0 : number
        })
    }
  }

  private final class Sink: EventSink {
    var numbers: [PFN] = []
    var finished = false

    func receive(_ event: CheckpointEvent<PFN>) throws(CheckpointError) {
      switch event {
      case .states(let extent): numbers.append(extent.pfn)
      case .pages(let number): numbers.append(number)
      case .record, .layout, .newPass: throw CheckpointError(.refused, "what no source gave")
      }
    }

    func finish() throws(CheckpointError) { finished = true }
  }

  @Test func orderIsKept() throws {
    for width in [1, 2, 8] {
      let sink = Sink()
      try Pipeline(Source(count: 5000), on: WorkerPool(width: width))
        .resolveDeferred()
        .run(into: sink)
      #expect(sink.numbers == Array(0..<5000))
      #expect(sink.finished)
    }
  }

  /// A piece of work stays under way until it is let go: how many are so at once is no matter of speed.
  private final class Gate: Sendable {
    private let arrivals = DispatchSemaphore(value: 0)
    private let permits = DispatchSemaphore(value: 0)
    private let underWay = Atomic<Int>(0)
    private let greatest = Atomic<Int>(0)

    /// The most pieces that were under way at once.
    var most: Int { greatest.load(ordering: .relaxed) }

    /// The piece of work.
    func pass() {
      greatest.max(underWay.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
      arrivals.signal()
      permits.wait()
      underWay.subtract(1, ordering: .relaxed)
    }

    /// Waits until another piece is under way; false where none ever will be, for which there must be an end.
    func awaitPiece() -> Bool { arrivals.wait(timeout: .now() + 60) == .success }

    /// Lets pieces go.
    func open(_ pieces: Int = 1) { for _ in 0..<pieces { permits.signal() } }
  }

  @Test(arguments: [1, 2, 3]) func asManyPiecesAtOnceAsAskedFor(width: Int) throws {
    let pool = WorkerPool(width: width)
    let gate = Gate()
    let count = 20 * width
    let jobs = (0..<count).map { _ in pool.start { gate.pass() } }
    // None is let go before all of these are there.
    let isWide = (0..<width).allSatisfy { _ in gate.awaitPiece() }
    #expect(isWide, "no \(width) pieces at once")
    // Each that goes makes room for one.
    for number in width..<count where isWide {
      gate.open()
      guard gate.awaitPiece() else {
        Issue.record("piece \(number) does not begin")
        break
      }
    }
    gate.open(count)
    for job in jobs { try job.wait() }
    #expect(gate.most == width)
  }

  /// The same of lanes that share a pool: all that they were given is done, in order, within its width.
  @Test func lanesShareTheWidthOfTheirPool() throws {
    let pool = WorkerPool(width: 3)
    let running = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    var lanes = [OrderedLane<Int>(pool), OrderedLane<Int>(pool)]
    var given: [[Int]] = [[], []]
    var taken: [[Int]] = [[], []]
    for number in 0..<400 {
      let lane = number % 2
      if lanes[lane].isFull { taken[lane].append(try lanes[lane].next()) }
      given[lane].append(number)
      lanes[lane].start {
        most.max(running.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
        usleep(50)
        running.subtract(1, ordering: .relaxed)
        return number
      }
    }
    for lane in lanes.indices {
      while !lanes[lane].isEmpty { taken[lane].append(try lanes[lane].next()) }
    }
    #expect(taken == given)
    #expect(most.load(ordering: .relaxed) <= 3)
  }

  @Test func errorStopsTheLine() throws {
    let sink = Sink()
    let error = #expect(throws: CheckpointError.self) {
      try Pipeline(Source(count: 5000, failing: 1000), on: WorkerPool(width: 4))
        .resolveDeferred()
        .run(into: sink)
    }
    #expect(error?.description.contains("number 1000") == true)
    #expect(sink.numbers == Array(0..<1000))
    #expect(!sink.finished)
  }
}
