internal import CheckpointCodec
package import CheckpointImage
internal import Glibc
internal import Storage

/// What the provenance records about the run of a tool.
package enum RunRecord {
  /// The version of the tools.
  package static let version = "0.1.0"

  /// The fields that every tool records when it begins.
  package static func begin(_ action: String) -> Provenance {
    var provenance = Provenance()
    provenance.add("action", action)
    provenance.add("start", UTCTime.now)
    provenance.add("tool", "vmckpt \(version)")
    provenance.add("command", CommandLine.arguments.joined(separator: " "))
    var name = utsname()
    if unsafe uname(&name) == 0 {
      // SAFETY: the bytes are copied before the closure returns.
      let node = unsafe withUnsafeBytes(of: &name.nodename) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      provenance.add("host", node)
    }
    return provenance
  }
}
