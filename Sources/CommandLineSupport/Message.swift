internal import Glibc

/// The name by which the tool was called.
package var toolName: String {
  CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "vmckpt"
}

extension String {
  /// The text without control characters: names and texts from files must not control the terminal.
  package var printable: String {
    guard unicodeScalars.contains(where: \.drivesTerminal) else {
      return self
    }
    return String(
      String.UnicodeScalarView(
        unicodeScalars.map { $0.drivesTerminal ? "?" : $0 }))
  }
}

/// Prints text for people on standard error.
package enum Message {
  /// Prints a line, without control characters.
  package static func print(_ line: String) {
    let bytes = Array((line.printable + "\n").utf8)
    unsafe bytes.withUnsafeBytes { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
