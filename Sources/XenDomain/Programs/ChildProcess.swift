#if Xen
internal import CXen
internal import CheckpointImage
internal import Glibc

/// Another program, started from this one.
///
/// It gets a process group of its own: what a terminal sends to stop us must not end it in the middle of its
/// work, where it could not tidy up.
struct ChildProcess {
  /// Its number, and that of its process group.
  let id: pid_t

  /// Starts a program that is looked for in PATH. No copy of our memory's map is made, which takes long if there
  /// is much of it.
  ///
  /// - Parameters:
  ///   - words: its name and arguments.
  ///   - files: descriptors and the numbers they get there.
  ///   - variables: `NAME=value`, in addition to our environment.
  init(
    _ words: [String], files: [(descriptor: Int32, place: Int32)], variables: [String] = []
  ) throws(CheckpointError) {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    for (descriptor, place) in files {
      unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, place)
    }
    // It must not inherit what we ignore.
    var defaults = sigset_t()
    unsafe sigemptyset(&defaults)
    for signal in [SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP] {
      unsafe sigaddset(&defaults, signal)
    }
    unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETPGROUP))

    // SAFETY: the copies made by strdup are freed behind the call that reads them; the lists end with nil, as does the
    // environment that is read here.
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    let added = unsafe variables.map { unsafe strdup($0) }
    defer {
      unsafe arguments.forEach { unsafe free($0) }
      unsafe added.forEach { unsafe free($0) }
    }
    var environment = unsafe added
    var next = unsafe Glibc.environ
    while let variable = unsafe next.pointee {
      unsafe environment.append(variable)
      unsafe next += 1
    }
    unsafe environment.append(nil)
    var process: pid_t = 0
    let code = unsafe posix_spawnp(
      &process, words[0], &actions, &attributes, &arguments, &environment)
    guard code == 0 else {
      // SAFETY: strerror gives a text that ends with a NUL.
      let reason = unsafe code == ENOENT ? "not found in PATH" : String(cString: strerror(code))
      throw CheckpointError(.io, "cannot be run: \(reason)", file: words[0])
    }
    id = process
  }

  /// Waits until it has ended; its status as wait(2) has it.
  func wait() -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
    return status
  }

  /// Its status, once it has ended.
  func poll() -> Int32? {
    var status: Int32 = 0
    return unsafe waitpid(id, &status, WNOHANG) == id ? status : nil
  }
}
#endif
