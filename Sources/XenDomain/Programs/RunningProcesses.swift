#if Xen
internal import Glibc

/// The processes of this machine, as /proc shows them.
enum RunningProcesses {
  /// Whether one of them is wanted; `isWanted` is given its folder in /proc.
  static func contain(where isWanted: (String) -> Bool) -> Bool {
    guard let processes = unsafe opendir("/proc") else { return false }
    defer { unsafe closedir(processes) }
    while let entry = unsafe readdir(processes) {
      // SAFETY: readdir's entry is there until the next call, and its name is cut at the NUL.
      let process = unsafe withUnsafeBytes(of: entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if process.allSatisfy(\.isNumber), isWanted("/proc/\(process)") { return true }
    }
    return false
  }

  /// The last part of what a symbolic link leads to.
  static func target(_ link: String) -> String? {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink(link, &bytes, bytes.count)
    guard count > 0 else { return nil }
    let path = bytes.prefix(count).map { UInt8(bitPattern: $0) }
    return String(decoding: path, as: UTF8.self).split(separator: "/").last.map(String.init)
  }

  /// The words that a process was started with, as far as they fit into 4 KiB.
  static func words(_ process: String) -> [String] {
    let file = unsafe open("\(process)/cmdline", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe read(file, &bytes, bytes.count)
    // Each ends with a NUL.
    let words = bytes.prefix(max(0, count)).split(separator: 0, omittingEmptySubsequences: false)
    return words.dropLast().map { String(decoding: $0, as: UTF8.self) }
  }
}
#endif
