@testable import CheckpointCodec
import CheckpointImage
import Glibc
import Synchronization
import TestSupport
import Testing

/// Events come out of parallel steps in the order in which they went in, and an error comes out once.
@Suite struct PipelineTests {
  private final class Source: CheckpointSource {
    let fractionDone: Double? = nil
    private var given: UInt64 = 0
    private let count: UInt64
    private let failing: UInt64?

    init(count: UInt64, failing: UInt64? = nil) {
      self.count = count
      self.failing = failing
    }

    func next() throws(CheckpointError) -> CheckpointEvent? {
      guard given < count else { return nil }
      let number = given
      given += 1
      let event = CheckpointEvent.states(
        StateExtent(pfn: number, count: 1, status: PageStatus(.zero)))
      // Two of three are worked out elsewhere, some of them slowly.
      guard number % 3 != 0 else { return event }
      return .deferred { [failing] () throws(CheckpointError) in
        if number == failing { throw CheckpointError(.damaged, "number \(number)") }
        var sum = number
        for step in 0..<(number % 7) * 1000 { sum = sum &* 31 &+ step }
        return sum == 1 ? .newPass : event
      }
    }
  }

  private final class Sink: CheckpointSink {
    var numbers: [PFN] = []
    var finished = false

    func receive(_ event: CheckpointEvent) throws(CheckpointError) {
      guard case .states(let extent) = event else {
        throw CheckpointError(.refused, "not an extent")
      }
      numbers.append(extent.pfn)
    }

    func finish() throws(CheckpointError) { finished = true }
  }

  @Test func orderIsKept() throws {
    for width in [1, 2, 8] {
      let sink = Sink()
      try Pipeline([.perform], into: sink, on: WorkerPool(width: width))
        .run(Source(count: 5000))
      #expect(sink.numbers == Array(0..<5000))
      #expect(sink.finished)
    }
  }

  @Test func noMorePiecesAtOnceThanAskedFor() throws {
    for width in [1, 3] {
      let pool = WorkerPool(width: width)
      let running = Atomic<Int>(0)
      let most = Atomic<Int>(0)
      var lanes = [OrderedLane<Void>(pool), OrderedLane<Void>(pool)]
      for number in 0..<400 {
        let lane = number % 2
        if lanes[lane].isFull { try lanes[lane].next() }
        lanes[lane].start {
          most.max(running.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
          usleep(50)
          running.subtract(1, ordering: .relaxed)
        }
      }
      for lane in lanes.indices {
        while !lanes[lane].isEmpty { try lanes[lane].next() }
      }
      #expect(most.load(ordering: .relaxed) <= width)
    }
  }

  @Test func errorStopsTheLine() throws {
    let sink = Sink()
    let error = #expect(throws: CheckpointError.self) {
      try Pipeline([.perform], into: sink, on: WorkerPool(width: 4))
        .run(Source(count: 5000, failing: 1000))
    }
    #expect(error?.description.contains("number 1000") == true)
    #expect(sink.numbers == Array(0..<1000))
    #expect(!sink.finished)
  }
}
