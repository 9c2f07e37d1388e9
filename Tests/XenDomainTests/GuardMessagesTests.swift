#if Xen
import CheckpointImage
import Testing

@testable import XenDomain

/// What a guard and its client say to each other arrives as it was.
@Suite struct GuardMessagesTests {
  @Test(
    arguments: [
      .startDirtyLog, .stopDirtyLog, .suspend, .resume, .pause, .unpause, .setTarget(0),
      .setTarget(.max), .keepReleased, .raiseTarget, .stop, .close,
    ] as [GuardRequest])
  func requestsArrive(_ request: GuardRequest) {
    #expect(GuardRequest(request.text) == request)
  }

  @Test func texts() throws {
    for text in ["", "yes", "two words", "two\nlines\n"] {
      let answer = GuardAnswer { text }
      #expect(!answer.isError)
      #expect(try GuardAnswer(answer.text).get() == text)
    }
  }

  @Test(
    arguments: [nil, .capturePaused, .captureMemoryOnly, .captureUnsqueezed] as [Hint?],
    [.refused, .interrupted, .io] as [CheckpointError.Kind])
  func errorsArriveWithTheirHints(_ hint: Hint?, _ kind: CheckpointError.Kind) {
    for (reason, file) in [("it hangs", "domain 5"), ("two\nlines", nil), ("", "xenstore /a b")] {
      let error = CheckpointError(kind, reason, file: file, hint: hint)
      let answer = GuardAnswer { () throws(CheckpointError) in throw error }
      #expect(answer.isError)
      #expect(throws: error) { try GuardAnswer(answer.text).get() }
    }
  }
}
#endif
