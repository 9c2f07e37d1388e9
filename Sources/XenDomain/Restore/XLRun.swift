#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
internal import Storage

/// A run of xl. What it prints is kept, for the case that it fails.
final class XLRun {
  /// More of what it prints is not read.
  private static let limit = 1 << 20
  private let process: ChildProcess
  private let output: TemporaryFile
  private let messages: TemporaryFile

  /// Starts `xl` with these arguments; its standard input is `input`.
  init(_ arguments: [String], input: Int32) throws(CheckpointError) {
    output = try TemporaryFile()
    messages = try TemporaryFile()
    do throws(CheckpointError) {
      process = try ChildProcess(
        ["xl"] + arguments,
        files: [
          (input, STDIN_FILENO), (output.descriptor, STDOUT_FILENO),
          (messages.descriptor, STDERR_FILENO),
        ])
    } catch {
      throw CheckpointError(
        error.kind, "\(error.reason); it comes with the Xen tools of the control domain", file: "xl"
      )
    }
  }

  /// Waits until it has ended. Returns nil if it did what it was asked, or how it failed, in its own words.
  func failure() -> CheckpointError? {
    let status = process.wait()
    guard status != 0 else { return nil }
    let signal = status & 0x7f
    let ending = signal == 0 ? "status \(status >> 8 & 0xff)" : "signal \(signal)"
    let text = (try? messages.contents(upTo: Self.limit)) ?? []
    let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline)
    // The first error is the cause; what follows are its consequences.
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
