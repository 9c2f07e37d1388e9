#if Xen
internal import CheckpointImage

/// What a guard can be asked for.
enum GuardRequest: String {
  case startDirtyLog = "log-dirty on"
  case stopDirtyLog = "log-dirty off"
  case suspend, resume, pause, unpause
  /// Stop waiting for the guest. It has no answer of its own: that to the request before comes sooner.
  case stop
  /// Undo what is outstanding and end.
  case close
}

/// What a guard answers: a text or an error.
struct GuardAnswer {
  let text: String

  private static let kinds: [(CheckpointError.Kind, String)] = [
    (.refused, "refused"), (.interrupted, "interrupted"), (.io, "io"),
  ]

  init(_ text: String) { self.text = text }

  /// Does some work and tells what came of it.
  init(_ work: () throws(CheckpointError) -> String) {
    do throws(CheckpointError) {
      text = "ok " + (try work())
    } catch {
      let kind = Self.kinds.first { $0.0 == error.kind }?.1 ?? "io"
      text = "\(kind) \(error.file ?? "")\n\(error.reason)"
    }
  }

  var isError: Bool { !text.hasPrefix("ok ") }

  /// The text, or the error thrown anew.
  func get() throws(CheckpointError) -> String {
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    let rest = parts.count > 1 ? String(parts[1]) : ""
    guard let kind = Self.kinds.first(where: { $0.1 == parts[0] })?.0 else { return rest }
    let lines = rest.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
    throw CheckpointError(
      kind, lines.count > 1 ? String(lines[1]) : rest, file: lines.first.map(String.init))
  }
}
#endif
