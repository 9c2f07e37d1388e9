#if Xen
internal import Storage
internal import Testing

@testable internal import XenDomain

/// While a hook runs, a guest is suspended: whatever the command does, it is over in time.
@Suite struct PauseHookTests {
  private func run(
    _ command: String, patience: Duration = .seconds(20),
    until cancellation: Cancellation = Cancellation()
  ) -> PauseHook.Outcome {
    let uuid = DomainUUID([UInt8](repeating: 7, count: 16))
    return PauseHook(command: command, patience: patience)
      .run(for: DomainReference(id: 5, uuid: uuid, name: "web"), until: cancellation)
  }

  @Test func whatItPrintsIsKept() {
    let outcome = run("echo snap-of-$VMCKPT_DOMAIN_NAME-$VMCKPT_DOMAIN_ID")
    #expect(outcome.problem == nil)
    #expect(outcome.output == "snap-of-web-5")
  }

  @Test func aStatusIsAProblem() {
    #expect(run("exit 3").problem == "ended with status 3")
  }

  @Test func oneThatPrintsForEverIsKilled() {
    let start = ContinuousClock.now
    let outcome = run("yes", patience: .milliseconds(300))
    #expect(outcome.problem != nil)
    #expect(outcome.output.utf8.count <= 4096)
    #expect(ContinuousClock.now - start < .seconds(10))
  }

  @Test func oneThatRunsWhenTheCaptureIsCancelledIsKilled() {
    let cancellation = Cancellation()
    cancellation.cancel()
    let outcome = run("sleep 20", until: cancellation)
    #expect(outcome.problem == "was killed: the capture was stopped")
  }

  @Test func whatItLeavesBehindIsNotWaitedFor() {
    let start = ContinuousClock.now
    let outcome = run("echo done; (sleep 20; yes) &")
    #expect(outcome.problem == nil)
    #expect(outcome.output == "done")
    #expect(ContinuousClock.now - start < .seconds(10))
  }
}
#endif
