internal import Glibc
package import Storage
internal import Synchronization

/// The signals by which a user ends a tool: they cancel its work, which then ends in order, so that no unfinished file
/// stays behind.
package enum Signals {
  private static let signal = Atomic<Int32>(0)

  /// Cancelled by the first of these signals, and when whoever read the results has left.
  package static let cancellation = Cancellation()

  /// Takes note of SIGINT, SIGTERM and SIGHUP from now on, and ignores SIGPIPE, so that a closed pipe
  /// becomes an error of the write that finds it.
  package static func install() {
    openStandardDescriptors()
    // Made here, for a handler must not be the first to make them.
    signal.store(0, ordering: .relaxed)
    _ = cancellation
    // A closed pipe and a file that may not grow are errors of a write, which are told and cleaned up after.
    Glibc.signal(SIGPIPE, SIG_IGN)
    Glibc.signal(SIGXFSZ, SIG_IGN)
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { number in
      Signals.signal.store(number, ordering: .relaxed)
      Signals.cancellation.cancel()
    }
    // Without SA_RESTART: a read that waits for a pipe returns and sees the cancellation.
    action.sa_flags = 0
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var before = sigaction()
      unsafe sigaction(number, nil, &before)
      // What whoever started us chose to ignore stays ignored: nohup.
      let isIgnored = unsafe unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self) == 1
      if !isIgnored { unsafe sigaction(number, &action, nil) }
    }
  }

  /// Without this, a file opened while standard error is closed would get its number, and our messages.
  private static func openStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // For the wrong direction: to use it is still an error.
      _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Whoever read the results has read enough: the same as the signal that comes of that, which is ignored.
  package static func readerLeft() {
    signal.store(SIGPIPE, ordering: .relaxed)
    cancellation.cancel()
  }

  /// The signal that came, 0 if none.
  package static var received: Int32 { signal.load(ordering: .relaxed) }
}
