public import CheckpointImage

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
