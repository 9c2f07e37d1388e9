#if Xen
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Formats
import Glibc
import Operations
import Storage
import TestSupport
import Testing

@testable import XenDomain

/// Images of a guest that does by chance whatever a guest and its host can do.
@Suite struct LiveSourceTests {
  let folder: TestFolder
  let pool = WorkerPool()
  let cancellation = Cancellation()

  init() throws { folder = try TestFolder() }

  /// What came of a series.
  struct Series {
    var images = 0
    var stored: [UInt64] = []
    var copied: [Int] = []
    var leftOut = 0
    var events: [LiveEvent] = []
    var error: CheckpointError?
    /// Pages left out, and pages that could have been and were not.
    var evicted = 0
    var notEvicted = 0
  }

  func file(_ number: Int) throws(CheckpointError) -> any ByteSink {
    try OutputFile(folder.path("image-\(number)"), force: true, sync: false)
  }

  /// Captures a series, and compares each image with the guest at the moment of its suspension.
  ///
  /// - Parameters:
  ///   - between: what is done to the guest after each image.
  func series(
    of host: ModelHost, _ change: (inout LiveOptions) -> Void = { _ in },
    count: Int, to given: ((Int) throws(CheckpointError) -> any ByteSink)? = nil,
    between: (Int) -> Void = { _ in }
  ) throws -> Series {
    var options = LiveOptions(cancellation: cancellation)
    options.interval = .zero
    options.count = count
    // By the clock of a machine under load the number of rounds would be by chance, and not the seed's.
    options.maximumPause = .zero
    change(&options)
    var result = Series()
    for name in folder.names { folder.remove(name) }
    var output = file
    if let given { output = given }
    var capture = Capture(settings: CodecSettings(), parent: nil, provenance: Provenance())
    capture.keepsUnfinished = false
    var events: [LiveEvent] = []
    var copiedBefore = 0
    do throws(CheckpointError) {
      let source = try LiveSource(host.guest, options) { events.append($0) }
      defer { source.close() }
      let series = CaptureSeries(capture, takesSeveral: true, output: output)
      _ = try series.run(.source(source), on: pool) { name, captured throws(CheckpointError) in
        try compare(name, with: host, &result)
        result.stored.append(captured.image.root.count(.data))
        result.copied.append(host.copied - copiedBefore)
        result.images += 1
        between(result.images)
        copiedBefore = host.copied
      }
    } catch {
      result.error = error
    }
    result.events = events
    result.leftOut = events.count { if case .leftOut = $0 { true } else { false } }
    #expect(host.problems == [])
    #expect(!host.guest.isSuspended)
    #expect(!host.guest.isLogOn)
    #expect(host.guest.controls.allSatisfy { $0.isClosed })
    return result
  }

  /// Whether an image says of every page what was so when the guest last suspended itself.
  func compare(_ file: String, with host: ModelHost, _ result: inout Series)
    throws(CheckpointError)
  {
    let chain = try Chain.open(file)
    let reader = PageReader(chain)
    let end = PFN(host.moment.count) + 600
    var wrong: [String] = []
    for first in stride(from: 0, to: end, by: PageBuffer.capacity) {
      let batch = try reader.read([first..<min(end, first + PFN(PageBuffer.capacity))])
      for (slot, found) in batch.pages.enumerated() {
        let page =
          found.pfn < host.moment.count ? host.moment[Int(found.pfn)] : SimulatedGuest.Page()
        var expected = page.status
        let canBeEvicted = host.guest.canBeEvicted(found.pfn, of: host.moment)
        if canBeEvicted, found.state == .evicted, found.type == 0 {
          result.evicted += 1
          continue
        }
        if canBeEvicted { result.notEvicted += 1 }
        if expected.state == .data, page.seed == 0 { expected.state = .zero }
        let hasContents = unsafe SimulatedGuest.contents(page.seed).withUnsafeBytes { contents in
          unsafe batch.buffer.page(slot).withUnsafeBytes { found in
            guard let contents = contents.baseAddress, let bytes = found.baseAddress else {
              return false
            }
            return unsafe memcmp(bytes, contents, found.count) == 0
          }
        }
        if found.state != expected.state || found.type != expected.type || !hasContents {
          wrong.append("page \(found.pfn): \(found.state) \(found.type), expected \(expected)")
        }
      }
    }
    #expect(wrong == [], "\(file), of \(chain.images.count) images, at moment \(host.moments)")
    let type = XenStream.LibxcType.tscInfo.rawValue
    let state = try Chain.records(of: chain.tip).first { $0.key.type == type }
    #expect(state?.payload?.first == UInt8(truncatingIfNeeded: host.moments))
  }

  // MARK: A guest that is squeezed

  /// Whatever call fails, the guest gets its memory target back.
  @Test func aSqueezedGuestGetsItsTargetBack() throws {
    let random = SplitMix64.forTest("aSqueezedGuestGetsItsTargetBack")
    func capture(failing failure: (call: Int, isAfter: Bool, error: CheckpointError)?) throws -> (
      ModelHost, Series
    ) {
      let host = ModelHost(pages: 1000, .quiet, random)
      let target = host.guest.target
      host.failure = failure
      let result = try series(
        of: host,
        {
          $0.interval = nil
          $0.squeeze = .bytes(400 << 12)
        }, count: 1)
      #expect(host.guest.target == target, "call \(failure?.call ?? -1) failed")
      return (host, result)
    }
    let (host, result) = try capture(failing: nil)
    #expect(result.error == nil)
    #expect(result.stored.allSatisfy { $0 <= 400 })
    #expect(host.calls.contains("setTarget"))
    for call in host.calls.indices where host.calls[call] != "close" {
      for isAfter in [false, true] {
        let error = CheckpointError(.io, "fails", file: "domain")
        _ = try capture(failing: (call, isAfter, error))
      }
    }
  }

  // MARK: Every image is the guest as it was

  @Test(arguments: 0..<6) func everyImageIsTheGuestInItsPause(variant: Int) throws {
    var random = SplitMix64.forTest("everyImageIsTheGuestInItsPause(\(variant))")
    var habits = ModelHost.Habits()
    habits.writes = [0, 2, 40][Int.random(in: 0..<3, using: &random)]
    habits.hasLog = variant != 1
    let host = ModelHost(pages: Int.random(in: 1...1500, using: &random), habits, random)
    let result = try series(
      of: host,
      {
        $0.paused = variant == 2
        if variant == 3 { $0.stageLimit = 0 }
        if variant == 4 { $0.stageLimit = 300 << 12 }
        if variant == 5 { $0.maximumPause = .seconds(100) }
      }, count: 25)
    #expect(result.error == nil)
    #expect(result.images == 25)
  }

  @Test(arguments: 0..<4) func imagesAreRightWhateverHappens(_ run: Int) throws {
    let random = SplitMix64.forTest("imagesAreRightWhateverHappens(\(run))")
    var trouble = ModelHost.Habits()
    trouble.losesLog = 30
    trouble.refuses = 100
    trouble.refusesLog = 300
    trouble.fails = 8
    trouble.ends = 3
    let host = ModelHost(pages: 500, ModelHost.Habits(), random)
    // Where the first image fails, so does the command: somebody is there to see it.
    let result = try series(of: host, count: 40, between: { _ in host.habits = trouble })
    #expect(result.error == nil)
    #expect(result.images == 40)
    #expect(result.leftOut > 0)
  }

  // MARK: The dirty log

  @Test func lossOfTheLogIsReported() throws {
    let random = SplitMix64.forTest("lossOfTheLogIsReported")
    var habits = ModelHost.Habits()
    habits.losesLog = 100
    let host = ModelHost(pages: 500, habits, random)
    let result = try series(of: host, count: 30)
    #expect(result.error == nil)
    #expect(result.events.contains { if case .logLost = $0 { true } else { false } })
  }

  /// Somebody who switches the log off and on again cannot be noticed: some images are then wrong, until all
  /// pages are compared.
  @Test func bitsLostWithoutATraceAreFoundByTheTwentieth() throws {
    let host = ModelHost(
      pages: 500, .quiet, SplitMix64.forTest("bitsLostWithoutATraceAreFoundByTheTwentieth"))
    var digests: [Digest] = []
    let options = {
      var options = LiveOptions(cancellation: cancellation)
      options.interval = .zero
      options.count = 21
      return options
    }()
    let source = try LiveSource(host.guest, options) { _ in }
    defer { source.close() }
    let series = CaptureSeries(
      Capture(settings: CodecSettings(), parent: nil, provenance: Provenance()),
      takesSeveral: true, output: file)
    _ = try series.run(.source(source), on: pool) { name, captured throws(CheckpointError) in
      digests.append(captured.image.root.memory)
      if digests.count == 1 {
        for pfn in 0..<host.guest.pages.count { host.guest.write(pfn) }
        host.guest.forgetWrites()
      }
      if digests.count == 21 {
        var result = Series()
        try compare(name, with: host, &result)
      }
    }
    // Without the second image being wrong, this would prove nothing.
    #expect(Set(digests[..<20]).count <= 2)
    #expect(digests[1] == digests[19])
    #expect(digests[20] != digests[19])
    #expect(host.problems == [])
  }

  // MARK: Cost

  @Test(arguments: [600, 6000]) func costGrowsWithWhatChangedOnly(pages: Int) throws {
    var random = SplitMix64.forTest("costGrowsWithWhatChangedOnly")
    let host = ModelHost(pages: pages, .quiet, random)
    let unlogged = host.guest.unlogged.count
    var written: [Int] = []
    let result = try series(
      of: host, count: 12,
      between: { _ in
        written.append(Int.random(in: 0...3, using: &random) * 50)
        for _ in 0..<written[written.count - 1] {
          host.guest.write(Int.random(in: 0..<pages, using: &random))
        }
      })
    #expect(result.error == nil)
    for number in 1..<12 { #expect(result.copied[number] <= written[number - 1] + unlogged) }
  }

  @Test func anIncrementOfAnUnchangedGuestStoresNothing() throws {
    let host = ModelHost(
      pages: 1000, .quiet, SplitMix64.forTest("anIncrementOfAnUnchangedGuestStoresNothing"))
    let result = try series(of: host, count: 3)
    #expect(result.stored.count == 3)
    #expect(result.stored[0] > 0)
    #expect(result.stored.dropFirst().allSatisfy { $0 == 0 })
  }
}
#endif
