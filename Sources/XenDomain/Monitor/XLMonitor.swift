#if Xen
internal import Glibc

/// The process that `xl create` and `xl restore` leave behind for each domain.
enum XLMonitor {
  /// Whether there is one for a domain of that name: an `xl` that writes to the domain's log file.
  static func exists(_ name: String) -> Bool {
    guard let processes = unsafe opendir("/proc") else { return false }
    defer { unsafe closedir(processes) }
    // A domain that came by migration had its name completed only afterwards; a log may be rotated.
    let logs = ["xl-\(name).log", "xl-\(name)--incoming.log"]
    while let entry = unsafe readdir(processes) {
      let process = unsafe withUnsafeBytes(of: entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard process.allSatisfy(\.isNumber), let program = target("/proc/\(process)/exe"),
        program == "xl" || program == "xl (deleted)", let log = target("/proc/\(process)/fd/1")
      else { continue }
      if logs.contains(where: { log == $0 || log.hasPrefix($0 + ".") }) { return true }
    }
    return false
  }

  /// The last part of what a symbolic link leads to.
  private static func target(_ link: String) -> String? {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink(link, &bytes, bytes.count)
    guard count > 0 else { return nil }
    let path = bytes.prefix(count).map { UInt8(bitPattern: $0) }
    return String(decoding: path, as: UTF8.self).split(separator: "/").last.map(String.init)
  }
}
#endif
