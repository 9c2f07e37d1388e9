public import ArgumentParser
internal import CheckpointCodec
public import CheckpointImage
internal import Glibc

/// A command of the suite: `execute` does the work, errors become one line and an exit status.
public protocol Tool: ParsableCommand {
  /// Does the work; the result is the exit status.
  func execute() throws(CheckpointError) -> ExitStatus
}

/// The exit statuses of all tools.
public enum ExitStatus: Int32, Sendable {
  /// Done, the same, sound.
  case success = 0
  /// The answer is no: it differs, is damaged, is incomplete.
  case no = 1
  /// It could not be done.
  case failure = 2

  /// The status an error leads to.
  public init(_ error: CheckpointError) {
    switch error.kind {
    case .damaged, .incomplete: self = .no
    case .unsupported, .missingParent, .mismatch, .io, .refused, .interrupted: self = .failure
    }
  }
}

extension Tool {
  /// Runs the command and ends the process with its status.
  public func run() throws {
    Interruption.install()
    let status: ExitStatus
    do throws(CheckpointError) {
      status = try execute()
    } catch {
      Message.print("\(Self._commandName): error: \(error)")
      // As a shell expects of a program that a signal ended.
      if error.kind == .interrupted { throw ExitCode(128 + Interruption.received) }
      status = ExitStatus(error)
    }
    throw ExitCode(status.rawValue)
  }
}

/// Text for people, on standard error.
public enum Message {
  /// Prints a line.
  public static func print(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    unsafe bytes.withUnsafeBytes { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
