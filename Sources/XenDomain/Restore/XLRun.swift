#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc

/// A run of xl. What it prints is kept, for the case that it fails.
@safe final class XLRun {
  /// More of what it prints is not read.
  private static let limit = 1 << 20
  private let process: pid_t
  private let output: TemporaryFile
  private let messages: TemporaryFile

  /// Starts `xl` with these arguments; its standard input is `input`.
  ///
  /// It gets a process group of its own: what a terminal sends to stop us must not end xl in the middle of its
  /// work, where it could not tidy up.
  init(_ arguments: [String], input: Int32) throws(CheckpointError) {
    output = try TemporaryFile()
    messages = try TemporaryFile()
    var files = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&files)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&files)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    for (descriptor, place) in [
      (input, STDIN_FILENO), (output.descriptor, STDOUT_FILENO),
      (messages.descriptor, STDERR_FILENO),
    ] {
      unsafe posix_spawn_file_actions_adddup2(&files, descriptor, place)
    }
    // The domain monitor that xl leaves behind must not inherit what we ignore.
    var defaults = sigset_t()
    unsafe sigemptyset(&defaults)
    for signal in [SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP] {
      unsafe sigaddset(&defaults, signal)
    }
    unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETPGROUP))

    var words = unsafe (["xl"] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let code = unsafe posix_spawnp(&process, "xl", &files, &attributes, &words, Glibc.environ)
    guard code == 0 else {
      let reason = unsafe code == ENOENT ? "not found in PATH" : String(cString: strerror(code))
      throw CheckpointError(
        .io, "cannot be run: \(reason); it comes with the Xen tools of the control domain",
        file: "xl")
    }
    self.process = process
  }

  /// Waits until it has ended. Returns nil if it did what it was asked, or how it failed, in its own words.
  func failure() -> CheckpointError? {
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    guard status != 0 else { return nil }
    let signal = status & 0x7f
    let ending = signal == 0 ? "status \(status >> 8 & 0xff)" : "signal \(signal)"
    let text = (try? messages.contents(upTo: Self.limit)) ?? []
    let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline)
    // The first error is the cause; what follows tells of its consequences.
    let errors = lines.filter { $0.contains("error") }.prefix(3)
    let said = (errors.isEmpty ? lines.suffix(3) : errors[...]).joined(separator: "; ")
    return CheckpointError(
      .io, "failed (\(ending))\(said.isEmpty ? "" : ": \(said)")", file: "xl")
  }

  /// What it printed on standard output.
  var printed: [UInt8] {
    get throws(CheckpointError) { try output.contents(upTo: Self.limit) }
  }
}
#endif
