internal import Glibc
package import Storage
internal import Synchronization

/// Signals with which the user ends a tool. They cancel its work, so that it cleans up and no unfinished file
/// is left.
package enum Signals {
  private static let signal = Atomic<Int32>(0)

  /// Cancelled by the first of these signals, or when the reader of the results is gone.
  package static let cancellation = Cancellation()

  /// From now on, SIGINT, SIGTERM and SIGHUP cancel, and SIGPIPE is ignored, so that writing to a closed pipe
  /// is an error.
  package static func install() {
    openStandardDescriptors()
    // Initialised here, since a signal handler must not be the first to do that.
    signal.store(0, ordering: .relaxed)
    _ = cancellation
    // A closed pipe and a file that reached its limit become errors of write, which are reported and cleaned
    // up.
    Glibc.signal(SIGPIPE, SIG_IGN)
    Glibc.signal(SIGXFSZ, SIG_IGN)
    var action = sigaction()
    // SAFETY: the field is a union, and SA_SIGINFO is not set, so this member is the one in use.
    unsafe action.__sigaction_handler.sa_handler = { number in
      Signals.signal.store(number, ordering: .relaxed)
      Signals.cancellation.cancel()
    }
    // Without SA_RESTART, so that a read from a pipe returns and the cancellation is noticed.
    action.sa_flags = 0
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var before = sigaction()
      unsafe sigaction(number, nil, &before)
      // Signals that the parent process ignores stay ignored (nohup).
      // SAFETY: as above; SIG_IGN is the number 1 in place of a function, so it is compared as a number.
      let isIgnored = unsafe unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self) == 1
      if !isIgnored { unsafe sigaction(number, &action, nil) }
    }
  }

  /// Otherwise a file opened while standard error is closed would get its number, and our messages.
  private static func openStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // Opened for the wrong direction, so that using it is still an error.
      _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// The reader of the results has read enough: the same as SIGPIPE, which is ignored.
  package static func readerLeft() {
    signal.store(SIGPIPE, ordering: .relaxed)
    cancellation.cancel()
  }

  /// The signal that was received, 0 if none.
  package static var received: Int32 { signal.load(ordering: .relaxed) }
}
