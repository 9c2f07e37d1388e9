#if Xen
internal import CheckpointImage

/// Somebody else's save or migration of a domain. It uses the same dirty log: what one of both reads and resets, the
/// other never sees, and a guest migrated so would lose what it wrote.
enum ForeignSave {
  /// Fails while there is one by libxl, which has a process for each.
  static func checkNone(of domain: UInt32) throws(CheckpointError) {
    let isRunning = RunningProcesses.contain { process in
      RunningProcesses.target("\(process)/exe")?.hasPrefix("libxl-save-helper") == true
        && isSave(RunningProcesses.words(process), of: domain)
    }
    if isRunning {
      throw CheckpointError(
        .refused, "is just being saved or migrated by another program (xl save, xl migrate)",
        file: "domain \(domain)")
    }
  }

  /// Whether these are the words of such a process: its path, what it does, two descriptors, the domain, and more.
  static func isSave(_ words: [String], of domain: UInt32) -> Bool {
    words.count > 4 && words[1] == "--save-domain" && words[4] == "\(domain)"
  }
}
#endif
