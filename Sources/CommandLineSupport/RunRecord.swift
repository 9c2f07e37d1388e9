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
    provenance.add("start", now())
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

  /// The present time: UTC, with nanoseconds.
  public static func now() -> String {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return text(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
  }

  /// A time since 1970 as ISO 8601 has it.
  public static func text(seconds: Int, nanoseconds: Int) -> String {
    var seconds = seconds
    var parts = unsafe tm()
    unsafe gmtime_r(&seconds, &parts)
    func digits(_ value: Int, _ width: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let date =
      unsafe "\(Int(parts.tm_year) + 1900)-\(digits(Int(parts.tm_mon) + 1, 2))-\(digits(Int(parts.tm_mday), 2))"
    let clock =
      unsafe "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2)):\(digits(Int(parts.tm_sec), 2))"
    return "\(date)T\(clock).\(digits(nanoseconds, 9))Z"
  }
}
