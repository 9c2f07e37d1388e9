#if Xen
internal import CheckpointImage

/// A program that moves memory between guests all the time: it would undo what is asked of a guest, or give what one
/// gave up to another.
enum BalloonManager {
  /// That of XCP-ng and XenServer, and that of Qubes OS.
  private static let names = ["squeezed", "qmemman"]

  /// Fails where one runs, or has the domain in its care.
  static func checkNone(of domain: UInt32, _ xenstore: Xenstore) throws(CheckpointError) {
    var found: String?
    if RunningProcesses.contain(where: { process in
      found = program(RunningProcesses.words(process))
      return found != nil
    }), let found {
      throw refusal("\(found) manages the memory of this host's guests", domain)
    }
    if try xenstore.value("/local/domain/\(domain)/memory/dynamic-min") != nil {
      throw refusal("its memory is managed by the toolstack (memory/dynamic-min)", domain)
    }
  }

  /// The manager among the words that a process was started with: its own name, or that of a script.
  static func program(_ words: [String]) -> String? {
    for word in words.prefix(2) {
      let name = word.split(separator: "/").last.map(String.init) ?? ""
      if let known = names.first(where: { name.hasPrefix($0) || name.hasPrefix("qubes-\($0)") }) {
        return known
      }
    }
    return nil
  }

  private static func refusal(_ reason: String, _ domain: UInt32) -> CheckpointError {
    CheckpointError(.refused, reason, file: "domain \(domain)", hint: .captureUnsqueezed)
  }
}
#endif
