#if Xen
internal import CheckpointImage

/// What a guard can be asked for.
enum GuardRequest: Equatable {
  case startDirtyLog
  case stopDirtyLog
  case suspend
  case resume
  case pause
  case unpause
  /// Ask for memory; in KiB.
  case setTarget(UInt64)
  case keepReleased
  case raiseTarget
  /// Stop waiting for the guest. It has no answer of its own: that to the request before comes sooner.
  case stop
  /// Undo what is outstanding and end.
  case close

  private static let plain: [(GuardRequest, String)] = [
    (.startDirtyLog, "log-dirty on"), (.stopDirtyLog, "log-dirty off"), (.suspend, "suspend"),
    (.resume, "resume"), (.pause, "pause"), (.unpause, "unpause"),
    (.keepReleased, "memory keep"), (.raiseTarget, "memory back"), (.stop, "stop"),
    (.close, "close"),
  ]
  private static let targetPrefix = "memory target "

  /// As it is sent.
  var text: String {
    if case .setTarget(let target) = self { return Self.targetPrefix + "\(target)" }
    return Self.plain.first { $0.0 == self }?.1 ?? ""
  }

  /// From what was sent; nil if it is none.
  init?(_ text: String) {
    if text.hasPrefix(Self.targetPrefix) {
      guard let target = UInt64(text.dropFirst(Self.targetPrefix.count)) else { return nil }
      self = .setTarget(target)
    } else if let request = Self.plain.first(where: { $0.1 == text })?.0 {
      self = request
    } else {
      return nil
    }
  }
}

/// What a guard answers: a text or an error.
struct GuardAnswer {
  let text: String

  private static let kinds: [(CheckpointError.Kind, String)] = [
    (.refused, "refused"), (.interrupted, "interrupted"), (.io, "io"),
  ]
  /// Those that a guard may give.
  private static let hints: [(Hint, String)] = [
    (.capturePaused, "paused"), (.captureMemoryOnly, "memory-only"),
    (.captureUnsqueezed, "unsqueezed"),
  ]

  init(_ text: String) { self.text = text }

  /// Does some work; what came of it.
  init(_ work: () throws(CheckpointError) -> String) {
    do throws(CheckpointError) {
      text = "ok " + (try work())
    } catch {
      let kind = Self.kinds.first { $0.0 == error.kind }?.1 ?? "io"
      let hint = Self.hints.first { $0.0 == error.hint }?.1 ?? ""
      text = "\(kind) \(error.file ?? "")\n\(hint)\n\(error.reason)"
    }
  }

  var isError: Bool { !text.hasPrefix("ok ") }

  /// The text, or the error thrown anew.
  func get() throws(CheckpointError) -> String {
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    let rest = parts.count > 1 ? String(parts[1]) : ""
    guard let kind = Self.kinds.first(where: { $0.1 == parts[0] })?.0 else { return rest }
    let lines = rest.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
    guard lines.count == 3 else { throw CheckpointError(kind, rest) }
    throw CheckpointError(
      kind, String(lines[2]), file: lines[0].isEmpty ? nil : String(lines[0]),
      hint: Self.hints.first { $0.1 == lines[1] }?.0)
  }
}
#endif
