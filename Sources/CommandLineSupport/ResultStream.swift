package import CheckpointImage

/// Many lines on standard output, written in large pieces.
package struct ResultStream {
  private var pending: [UInt8] = []

  /// A stream without lines.
  package init() {}

  /// Adds a line.
  package mutating func print(_ line: String) throws(CheckpointError) {
    try write(line.printable)
    pending.append(0x0a)
  }

  /// Adds text that is known to be printable.
  package mutating func write(_ text: String) throws(CheckpointError) {
    pending += Array(text.utf8)
    if pending.count >= 1 << 16 { try flush() }
  }

  /// Writes what is left.
  package mutating func flush() throws(CheckpointError) {
    try Results.write(pending)
    pending.removeAll(keepingCapacity: true)
  }
}
