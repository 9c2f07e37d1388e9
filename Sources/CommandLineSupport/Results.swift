internal import CheckpointCodec
package import CheckpointImage
internal import FoundationEssentials
internal import Glibc
internal import Storage

/// Prints results on standard output.
package enum Results {
  /// Prints a line, without control characters.
  package static func print(_ line: String) throws(CheckpointError) {
    try write(Array((line.printable + "\n").utf8))
  }

  /// Prints a value as indented JSON with sorted keys.
  package static func printJSON(_ value: some Encodable) throws(CheckpointError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try write(JSONText.bytes(value, encoder) + [0x0a])
  }

  /// Prints a value as JSON on a single line with sorted keys.
  package static func printJSONLine(_ value: some Encodable) throws(CheckpointError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try write(JSONText.bytes(value, encoder) + [0x0a])
  }

  static func write(_ bytes: [UInt8]) throws(CheckpointError) {
    try Signals.cancellation.check()
    var done = 0
    while done < bytes.count {
      // SAFETY: `done` is less than the number of bytes.
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(
          STDOUT_FILENO, $0.baseAddress?.advanced(by: done), bytes.count - done)
      }
      if count < 0 && errno == EINTR && Signals.received == 0 { continue }
      if count < 0 && errno == EPIPE { Signals.readerLeft() }
      guard count > 0 else { throw .system("cannot write", "standard output") }
      done += count
    }
  }
}
