public import ArgumentParser
internal import CheckpointCodec
public import CheckpointImage
internal import Glibc

/// A command of the suite: `execute` does the work, errors become one line and an exit status.
public protocol Tool: ParsableCommand {
  /// Does the work; the result is the exit status.
  func execute() throws(CheckpointError) -> ExitStatus
  /// The exit status an error leads to.
  static func status(of error: CheckpointError) -> ExitStatus
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
  /// The status that the error's kind leads to.
  public static func status(of error: CheckpointError) -> ExitStatus { ExitStatus(error) }

  /// Runs the command and ends the process with its status.
  public func run() throws {
    Interruption.install()
    try checkArguments()
    let status: ExitStatus
    do throws(CheckpointError) {
      status = try execute()
    } catch {
      Message.print("\(toolName): error: \(error)")
      // As a shell expects of a program that a signal ended.
      if error.kind == .interrupted { throw ExitCode(128 + Interruption.received) }
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

/// The name the tool was called by.
public var toolName: String {
  CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "vmckpt"
}

extension String {
  /// The text without control characters: names and texts from files must not drive a terminal.
  public var printable: String {
    guard unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      return self
    }
    return String(
      String.UnicodeScalarView(
        unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
  }
}

/// Text for people, on standard error.
public enum Message {
  /// Prints a line.
  public static func print(_ line: String) {
    let bytes = Array((line.printable + "\n").utf8)
    unsafe bytes.withUnsafeBytes { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
