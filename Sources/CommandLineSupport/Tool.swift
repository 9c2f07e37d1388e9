package import ArgumentParser
internal import CheckpointCodec
package import CheckpointImage
internal import Glibc
internal import Storage

/// A command of the suite: `execute` does the work, errors become one line and an exit status.
package protocol Tool: ParsableCommand {
  /// Does the work; the result is the exit status.
  func execute() throws(CheckpointError) -> ExitStatus
  /// The exit status an error leads to.
  static func status(of error: CheckpointError) -> ExitStatus
}

extension Tool {
  /// The status that the error's kind leads to.
  package static func status(of error: CheckpointError) -> ExitStatus { ExitStatus(error) }

  /// Runs the command and ends the process with its status.
  package func run() throws {
    Signals.install()
    try checkArguments()
    let status: ExitStatus
    do throws(CheckpointError) {
      status = try execute()
    } catch {
      // "| head" is nothing to complain of.
      if Signals.received == SIGPIPE { throw ExitCode(128 + SIGPIPE) }
      var error = error
      if error.kind == .interrupted { error.reason = "stopped by signal \(Signals.received)" }
      Message.print("\(toolName): error: \(error.message)")
      // As a shell expects of a program that a signal ended.
      if error.kind == .interrupted { throw ExitCode(128 + Signals.received) }
      status = Self.status(of: error)
    }
    throw ExitCode(status.rawValue)
  }
}

/// A name that is not UTF-8 would silently become another name.
private func checkArguments() throws {
  for index in 0..<Int(CommandLine.argc) {
    guard let argument = unsafe CommandLine.unsafeArgv[index],
      unsafe String(validatingCString: argument) == nil
    else { continue }
    throw ValidationError("argument \(index) is not UTF-8; rename the file")
  }
}
