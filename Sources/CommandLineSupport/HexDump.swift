package import CheckpointImage

/// Prints bytes like `hexdump -C`: address, bytes, characters; a star for repeated lines.
package struct HexDump {
  private static let width = 16

  private var address: UInt64
  private var row: [UInt8] = []
  private var last: [UInt8] = []
  private var isRepeating = false

  /// A dump that starts at `address`.
  package init(at address: UInt64) { self.address = address }

  /// Prints a few bytes.
  package static func print(_ bytes: [UInt8], at address: UInt64, to output: inout ResultStream)
    throws(CheckpointError)
  {
    var dump = HexDump(at: address)
    try dump.add(bytes.rawSpan, to: &output)
    try dump.end(to: &output)
  }

  /// Adds bytes.
  package mutating func add(_ bytes: RawSpan, to output: inout ResultStream)
    throws(CheckpointError)
  {
    var taken = 0
    while taken < bytes.byteCount {
      let part = min(Self.width - row.count, bytes.byteCount - taken)
      // SAFETY: the bytes are copied before the closure returns.
      unsafe bytes.extracting(taken..<taken + part).withUnsafeBytes {
        unsafe row.append(contentsOf: $0)
      }
      taken += part
      if row.count == Self.width { try endRow(&output) }
    }
  }

  /// Adds zero bytes, without cost beyond the first few lines.
  package mutating func addZeros(_ count: UInt64, to output: inout ResultStream)
    throws(CheckpointError)
  {
    var left = count
    let zeros = [UInt8](repeating: 0, count: Self.width)
    while left > 0 {
      if row.isEmpty, isRepeating, last == zeros, left > UInt64(Self.width) {
        // Whole lines that repeat.
        let skipped = left / UInt64(Self.width) * UInt64(Self.width)
        address &+= skipped
        left -= skipped
        continue
      }
      let part = Int(min(left, UInt64(Self.width - row.count)))
      row.append(contentsOf: repeatElement(0, count: part))
      left -= UInt64(part)
      if row.count == Self.width { try endRow(&output) }
    }
  }

  /// Ends the dump: the last line, and the address after it.
  package mutating func end(to output: inout ResultStream) throws(CheckpointError) {
    if !row.isEmpty { try endRow(&output) }
    try output.print(Self.text(address))
  }

  private mutating func endRow(_ output: inout ResultStream) throws(CheckpointError) {
    if row == last {
      if !isRepeating { try output.print("*") }
      isRepeating = true
    } else {
      try output.print(Self.line(row, at: address))
      isRepeating = false
    }
    address &+= UInt64(row.count)
    swap(&row, &last)
    row.removeAll(keepingCapacity: true)
  }

  private static func text(_ address: UInt64) -> String {
    let text = String(address, radix: 16)
    return String(repeating: "0", count: max(0, 8 - text.count)) + text
  }

  private static func line(_ row: [UInt8], at address: UInt64) -> String {
    var line = Array(text(address).utf8)
    line.append(0x20)
    for place in 0..<width {
      if place % 8 == 0 { line.append(0x20) }
      guard place < row.count else {
        line += [0x20, 0x20, 0x20]
        continue
      }
      Hexadecimal.append(row[place], to: &line)
      line.append(0x20)
    }
    line += Array(" |".utf8) + row.map { (0x20...0x7e).contains($0) ? $0 : 0x2e } + [0x7c]
    return String(decoding: line, as: UTF8.self)
  }
}
