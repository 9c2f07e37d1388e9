internal import Glibc

/// Times in the format of the provenance: ISO 8601, UTC, with nanoseconds.
package enum UTCTime {
  /// The present time.
  package static var now: String {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return text(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
  }

  /// Formats a time since 1970.
  package static func text(seconds: Int, nanoseconds: Int) -> String {
    var seconds = seconds
    // SAFETY: `tm` has a pointer to the name of a time zone, which is not used.
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
