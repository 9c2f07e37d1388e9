public import CheckpointImage
internal import FoundationEssentials
internal import Glibc

/// Results on standard output.
public enum Results {
  /// Prints a line.
  public static func print(_ line: String) throws(CheckpointError) {
    try write(Array((line.printable + "\n").utf8))
  }

  /// Prints a value as JSON, keys sorted.
  public static func printJSON(_ value: some Encodable) throws(CheckpointError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else {
      throw CheckpointError(.refused, "the result cannot be written as JSON")
    }
    try write(Array(data) + [0x0a])
  }

  fileprivate static func write(_ bytes: [UInt8]) throws(CheckpointError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(
          STDOUT_FILENO, $0.baseAddress?.advanced(by: done), bytes.count - done)
      }
      guard count > 0 else {
        throw CheckpointError(
          .io, unsafe "cannot write: \(String(cString: strerror(errno)))", file: "standard output")
      }
      done += count
    }
  }
}

/// Many lines on standard output, written in large pieces.
public struct ResultStream {
  private var pending: [UInt8] = []

  /// A stream without lines.
  public init() {}

  /// Adds a line.
  public mutating func print(_ line: String) throws(CheckpointError) {
    pending += Array(line.printable.utf8)
    pending.append(0x0a)
    if pending.count >= 1 << 16 { try flush() }
  }

  /// Writes what is left.
  public mutating func flush() throws(CheckpointError) {
    try Results.write(pending)
    pending.removeAll(keepingCapacity: true)
  }
}
