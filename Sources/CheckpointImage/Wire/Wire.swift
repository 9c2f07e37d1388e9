/// Reads little-endian fields one after the other; its errors name the place of a wrong value.
package struct WireReader: ~Escapable {
  private let bytes: RawSpan
  /// The next byte to be read, counted from the start of the structure.
  package private(set) var position = 0
  private let structure: String
  private let base: UInt64

  /// Reads `bytes`, the structure called `structure`, which lies at `base` in its file.
  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan, structure: String, at base: UInt64) {
    self.bytes = bytes
    self.structure = structure
    self.base = base
  }

  /// The number of bytes of the structure.
  package var byteCount: Int { bytes.byteCount }

  /// The number of bytes not yet read.
  package var remaining: Int { bytes.byteCount - position }

  /// The next integer.
  @_lifetime(self: copy self)
  package mutating func read<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type = T.self
  ) throws(CheckpointError) -> T {
    try need(MemoryLayout<T>.size)
    defer { position += MemoryLayout<T>.size }
    // In bounds by the line above.
    return T(
      littleEndian: unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: position, as: T.self))
  }

  /// The next 32 bytes as a digest.
  @_lifetime(self: copy self)
  package mutating func readDigest() throws(CheckpointError) -> Digest {
    try need(Digest.byteCount)
    defer { position += Digest.byteCount }
    // In bounds by the line above; a digest is kept in memory order, whatever the machine's.
    return Digest(
      words: unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: position, as: (UInt64, UInt64, UInt64, UInt64).self))
  }

  /// The next `count` bytes.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  package mutating func take(_ count: Int) throws(CheckpointError) -> RawSpan {
    try need(count)
    defer { position += count }
    return bytes.extracting(position..<position + count)
  }

  /// The next `count` bytes, copied.
  @_lifetime(self: copy self)
  package mutating func readBytes(_ count: Int) throws(CheckpointError) -> [UInt8] {
    unsafe try take(count).withUnsafeBytes { unsafe Array($0) }
  }

  /// The next `count` bytes as text; they must be UTF-8.
  @_lifetime(self: copy self)
  package mutating func readText(_ count: Int, _ field: String) throws(CheckpointError) -> String {
    guard let text = String(validating: try readBytes(count), as: UTF8.self) else {
      throw damaged("\(field) is not UTF-8")
    }
    return text
  }

  /// Skips bytes that must be zero.
  @_lifetime(self: copy self)
  package mutating func zeros(_ count: Int, _ field: String) throws(CheckpointError) {
    for byte in try readBytes(count) where byte != 0 {
      throw damaged("\(field) is not zero")
    }
  }

  /// Skips the zero bytes up to the next multiple of 8.
  @_lifetime(self: copy self)
  package mutating func padding() throws(CheckpointError) {
    try zeros((8 - position % 8) % 8, "padding")
  }

  /// Fails unless everything was read.
  package func end() throws(CheckpointError) {
    guard remaining == 0 else { throw damaged("\(remaining) bytes too many") }
  }

  /// Fails unless a field has the value it must have.
  package func expect<T: Equatable>(
    _ field: String, _ found: T, _ expected: T
  ) throws(CheckpointError) {
    guard found == expected else {
      throw damaged("\(field): found \(found), expected \(expected)")
    }
  }

  /// Fails unless a field is in its range.
  package func expect<T: Comparable>(
    _ field: String, _ found: T, in range: ClosedRange<T>
  ) throws(CheckpointError) {
    guard range.contains(found) else {
      throw damaged(
        "\(field): found \(found), expected \(range.lowerBound) to \(range.upperBound)")
    }
  }

  /// An error at the present position.
  package func damaged(_ reason: String) -> CheckpointError {
    CheckpointError(.damaged, reason, structure: structure, offset: base + UInt64(position))
  }

  private func need(_ count: Int) throws(CheckpointError) {
    guard count >= 0, count <= remaining else {
      throw damaged("too short: found \(remaining) bytes, expected \(count)")
    }
  }
}

/// Collects little-endian fields.
package struct WireWriter: Sendable {
  /// What was written so far.
  package private(set) var bytes: [UInt8] = []

  /// An empty writer.
  package init() {}

  /// An empty writer with room for `capacity` bytes.
  package init(capacity: Int) { bytes.reserveCapacity(capacity) }

  /// Appends an integer.
  package mutating func write<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }

  /// Appends a digest.
  package mutating func write(_ digest: Digest) {
    unsafe withUnsafeBytes(of: digest.words) { unsafe bytes.append(contentsOf: $0) }
  }

  /// Appends bytes.
  package mutating func write(_ more: [UInt8]) { bytes.append(contentsOf: more) }

  /// Appends zero bytes up to the next multiple of 8.
  package mutating func pad() {
    bytes.append(contentsOf: repeatElement(0, count: (8 - bytes.count % 8) % 8))
  }
}
