#if Xen
import CheckpointCodec
import CheckpointImage
import Glibc
import Storage
import TestSupport
import Testing

@testable import XenDomain

/// Calls that fail, guests that end, signals and full disks.
extension LiveSourceTests {
  /// Every call of a series fails once, before or after its effect: the images that are made are right, and the
  /// guest is as it was.
  @Test(arguments: [false, true]) func everyCallMayFail(isAfter: Bool) throws {
    let random = SplitMix64.forTest("everyCallMayFail")
    func host() -> ModelHost { ModelHost(pages: 300, ModelHost.Habits(), random) }
    let whole = host()
    #expect(try series(of: whole, count: 3).error == nil)
    for call in whole.calls.indices {
      let host = host()
      host.failure = (call, isAfter, CheckpointError(.io, "fails", file: "domain 1"))
      let result = try series(of: host, count: 3)
      let name = host.calls[call]
      if let error = result.error {
        #expect(error.reason == "fails", "\(call): \(name): \(error)")
        #expect(result.images == 0 || name == "isOver", "\(call): \(name)")
      } else {
        #expect(result.images == 3, "\(call): \(name)")
      }
    }
  }

  /// What the guest became may be found before it is whole: it is tried again.
  @Test(arguments: ["close", "successor", "guarded"]) func aGuestIsFollowed(_ call: String) throws {
    let host = ModelHost(pages: 300, ModelHost.Habits(), SplitMix64.forTest("aGuestIsFollowed"))
    let result = try series(
      of: host, count: 3,
      between: { image in
        guard image == 2 else { return }
        host.guest.end()
        let place = ["isOver", "close", "successor", "guarded"].firstIndex(of: call) ?? 0
        let error = CheckpointError(.io, "fails", file: "domain 2")
        host.failure = (host.calls.count + place, false, error)
      })
    #expect(result.error == nil)
    #expect(result.images == 3)
    #expect(host.guest.reference.id > 1)
    #expect(host.failure.map { host.calls[$0.call] } == call)
    #expect(try ImageFile(folder.path("image-2")).header.parent == nil)
  }

  @Test func aSignalEndsTheSeriesWhereverItComes() throws {
    let random = SplitMix64.forTest("aSignalEndsTheSeriesWhereverItComes")
    func host() -> ModelHost { ModelHost(pages: 300, ModelHost.Habits(), random) }
    let whole = host()
    _ = try series(of: whole, count: 3)
    for call in whole.calls.indices.dropLast() {
      let host = host()
      host.failure = (call, false, CheckpointError(.interrupted, "stopped by signal 15"))
      let result = try series(of: host, count: 3)
      #expect(result.error?.kind == .interrupted, "\(call): \(host.calls[call])")
      #expect(host.calls.dropFirst(call + 1).allSatisfy { $0 == "close" })
    }
  }

  @Test func aCancelledSeriesDoesNotWaitForTheNextImage() throws {
    let host = ModelHost(
      pages: 300, .quiet, SplitMix64.forTest("aCancelledSeriesDoesNotWaitForTheNextImage"))
    let result = try series(
      of: host, { $0.interval = .seconds(600) }, count: 3,
      between: { _ in cancellation.cancel() })
    #expect(result.error == nil)
    #expect(result.images == 1)
  }

  /// A cancellation makes calls fail: that is not the guest's fault.
  @Test func aFailureAfterACancellationIsReportedAsOne() throws {
    let random = SplitMix64.forTest("aFailureAfterACancellationIsReportedAsOne")
    let whole = ModelHost(pages: 300, .quiet, random)
    _ = try series(of: whole, count: 1)
    let call = try #require(whole.calls.firstIndex(of: "suspend"))
    let host = ModelHost(pages: 300, .quiet, random)
    host.failure = (call, false, CheckpointError(.io, "fails", file: "domain 1"))
    cancellation.cancel()
    let result = try series(of: host, count: 1)
    #expect(result.error?.kind == .interrupted)
    #expect(result.images == 0)
  }

  /// F_SETPIPE_SZ, which the C library's header has for GNU programs only.
  private static let setPipeSize: Int32 = 1031

  /// An output that takes only so many bytes, and only one image; the next may not be written at all.
  @Test(arguments: [false, true]) func aFullDiskEndsTheSeries(staged: Bool) throws {
    let random = SplitMix64.forTest("aFullDiskEndsTheSeries")
    signal(SIGPIPE, SIG_IGN)
    for size in [4096, 1 << 16, 1 << 17] {
      for full in 0..<3 {
        let host = ModelHost(pages: 3000, ModelHost.Habits(writes: 600), random)
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let writing = ends[1]
        _ = fcntl(writing, F_SETFL, O_NONBLOCK)
        _ = fcntl(writing, Self.setPipeSize, Int32(size))
        let result = try series(
          of: host, { if staged { $0.stageLimit = 1 << 20 } }, count: 4,
          to: { (number) throws(CheckpointError) in
            if number == full { return OutputPipe(writing, name: "full") }
            return try file(number)
          })
        #expect(result.images == full)
        #expect(result.error?.file == "full")
      }
    }
  }
}
#endif
