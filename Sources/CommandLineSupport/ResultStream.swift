package import CheckpointImage

/// Prints many lines on standard output, buffered.
package struct ResultStream {
  private var pending: [UInt8] = []

  /// A stream with an empty buffer.
  package init() {}

  /// Adds a line, without control characters.
  package mutating func print(_ line: String) throws(CheckpointError) {
    try write(line.printable)
    pending.append(0x0a)
  }

  /// Adds text that contains no control characters.
  package mutating func write(_ text: String) throws(CheckpointError) {
    pending += Array(text.utf8)
    if pending.count >= 1 << 16 { try flush() }
  }

  /// Writes the rest of the buffer.
  package mutating func flush() throws(CheckpointError) {
    try Results.write(pending)
    pending.removeAll(keepingCapacity: true)
  }
}
