package import ArgumentParser
internal import CheckpointCodec
package import CheckpointImage
internal import Glibc
internal import Storage

/// A command: `execute` does the work, errors become a message and an exit status.
package protocol Tool: ParsableCommand {
  /// Does the work and returns the exit status.
  func execute() throws(CheckpointError) -> ExitStatus
  /// The exit status for an error; `ExitStatus.init` unless a tool defines its own.
  static func status(of error: CheckpointError) -> ExitStatus
}

extension Tool {
  /// The exit status for the kind of the error.
  package static func status(of error: CheckpointError) -> ExitStatus { ExitStatus(error) }

  /// Runs the command and ends the process with its exit status.
  package func run() throws {
    Signals.install()
    try checkArguments()
    let status: ExitStatus
    do throws(CheckpointError) {
      status = try execute()
    } catch {
      // A closed pipe, as of `| head`, is not an error.
      if Signals.received == SIGPIPE { throw ExitCode(128 + SIGPIPE) }
      var error = error
      if error.kind == .interrupted {
        let stopped = "stopped by signal \(Signals.received)"
        error.reason = error.reason.replacing(Cancellation.error.reason, with: stopped)
      }
      Message.print("\(toolName): error: \(error.message)")
      // The exit status that a shell gives a process which a signal ended.
      if error.kind == .interrupted { throw ExitCode(128 + Signals.received) }
      status = Self.status(of: error)
    }
    throw ExitCode(status.rawValue)
  }
}

/// A name that is not UTF-8 would silently become a different one.
private func checkArguments() throws {
  for index in 0..<Int(CommandLine.argc) {
    // SAFETY: `argc` counts the elements, and each is a C string.
    guard let argument = unsafe CommandLine.unsafeArgv[index],
      unsafe String(validatingCString: argument) == nil
    else { continue }
    throw ValidationError("argument \(index) is not UTF-8; rename the file")
  }
}
