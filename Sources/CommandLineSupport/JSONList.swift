package import CheckpointImage
internal import FoundationEssentials

/// Prints a JSON list on standard output element by element, since the elements may not fit into memory.
package struct JSONList {
  private let encoder = JSONEncoder()
  private var pending = Array("[".utf8)
  private var isEmpty = true

  /// An empty list, with an element per line, or indented.
  package init(isIndented: Bool = false) {
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isIndented { encoder.outputFormatting.insert(.prettyPrinted) }
  }

  /// Prints an element.
  package mutating func add(_ value: some Encodable) throws(CheckpointError) {
    let bytes = try JSONText.bytes(value, encoder)
    pending += Array((isEmpty ? "\n" : ",\n").utf8)
    pending += bytes
    isEmpty = false
    if pending.count >= 1 << 16 { try flush() }
  }

  /// Prints the end of the list.
  package mutating func end() throws(CheckpointError) {
    pending += Array("\n]\n".utf8)
    try flush()
  }

  private mutating func flush() throws(CheckpointError) {
    try Results.write(pending)
    pending.removeAll(keepingCapacity: true)
  }
}
