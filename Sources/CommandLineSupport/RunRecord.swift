internal import CheckpointCodec
public import CheckpointImage
internal import Glibc

/// What the provenance says of the run that makes an image.
public enum RunRecord {
  /// The version of the suite.
  public static let version = "0.1.0"

  /// The fields every tool records at its start.
  public static func begin(_ action: String) -> Provenance {
    var provenance = Provenance()
    provenance.add("action", action)
    provenance.add("start", UTCTime.now)
    provenance.add("tool", "vmckpt \(version)")
    provenance.add("command", CommandLine.arguments.joined(separator: " "))
    var name = utsname()
    if unsafe uname(&name) == 0 {
      let node = unsafe withUnsafeBytes(of: &name.nodename) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      provenance.add("host", node)
    }
    return provenance
  }
}
