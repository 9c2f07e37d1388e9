#if Xen
/// The process that `xl create` and `xl restore` leave behind for each domain.
enum XLMonitor {
  /// Whether there is one for a domain of that name: an `xl` that writes to the domain's log file.
  static func exists(_ name: String) -> Bool {
    // A domain that came by migration had its name completed only afterwards; a log may be rotated.
    let logs = ["xl-\(name).log", "xl-\(name)--incoming.log"]
    return RunningProcesses.contain { process in
      guard let program = RunningProcesses.target("\(process)/exe"),
        program == "xl" || program == "xl (deleted)",
        let log = RunningProcesses.target("\(process)/fd/1")
      else { return false }
      return logs.contains { log == $0 || log.hasPrefix($0 + ".") }
    }
  }
}
#endif
