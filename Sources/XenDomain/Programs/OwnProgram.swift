#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
internal import Storage

/// The program that runs, started once more as a process of its own that outlives this one: a guard or a
/// monitor of a domain.
package enum OwnProgram {
  static let guardArgument = "--guard-of-domain"
  static let monitorArgument = "--monitor-of-domain"

  /// Names this process; started by way of /proc, it would be "exe" in lists of processes.
  static func name(_ text: String) {
    guard let file = unsafe fopen("/proc/self/comm", "w") else { return }
    unsafe fputs(text, file)
    unsafe fclose(file)
  }

  /// Starts it, in a session of its own, with these descriptors as standard input and output and nothing
  /// else; the process number.
  ///
  /// - Parameter isSheltered: SIGINT, SIGTERM and SIGHUP do nothing to it.
  static func start(_ arguments: [String], input: Int32, output: Int32, isSheltered: Bool)
    throws(CheckpointError) -> pid_t
  {
    let name = CommandLine.arguments.first ?? "vmckpt"
    // SAFETY: the copies made by strdup are freed behind the call that reads them; the list ends with nil.
    var words = unsafe ([name] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    let process = unsafe vmckpt_spawn_self(&words, input, output, isSheltered)
    guard process >= 0 else {
      throw .system("cannot start this program once more", "/proc/self/exe")
    }
    return process
  }
}
#endif
