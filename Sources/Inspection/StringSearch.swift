package import CheckpointImage

/// Finds runs of printable characters like strings(1), also across page borders.
package final class StringSearch: MemoryVisitor {
  /// How characters are written.
  package enum Encoding: String, CaseIterable, Sendable {
    /// One byte each.
    case ascii
    /// Two bytes each, the second of which is zero: Windows, UEFI.
    case utf16 = "utf-16le"
  }

  /// A run of characters.
  package struct Found: Sendable {
    /// Where it begins.
    package var address: UInt64
    /// The encoding of its characters.
    package var encoding: Encoding
    /// The characters.
    package var text: String
  }

  /// Longer runs are reported in pieces of this length, since memory may consist of a single letter.
  private static let longest = 1 << 16

  /// Whether a byte is a printable character of ASCII, or a tab.
  private static let isPrintable: [Bool] = (0..<256).map { $0 == 9 || (0x20...0x7e).contains($0) }

  private let encoding: Encoding
  private let shortest: Int
  private let found: (Found) throws(CheckpointError) -> Void
  private var text: [UInt8] = []
  private var start: UInt64 = 0
  /// Whether the current run continues one that was reported.
  private var isRest = false
  private var next: UInt64?
  /// In UTF-16, the first byte of a character whose second byte comes with the next bytes.
  private var half: UInt8?

  /// A search for runs of at least `shortest` characters.
  package init(
    _ encoding: Encoding, atLeast shortest: Int,
    found: @escaping (Found) throws(CheckpointError) -> Void
  ) {
    self.encoding = encoding
    self.shortest = shortest
    self.found = found
  }

  /// Ends the current run.
  package func finish() throws(CheckpointError) {
    try endRun()
    half = nil
  }

  /// Ends the current run: none extends across unknown pages.
  package func visit(_ gap: StateExtent) throws(CheckpointError) {
    try finish()
    next = nil
  }

  /// Searches the next pages.
  package func visit(_ bytes: RawSpan, at address: UInt64) throws(CheckpointError) {
    if next != address { try finish() }
    next = address &+ UInt64(bytes.byteCount)
    switch encoding {
    case .ascii: try findASCII(bytes, at: address)
    case .utf16: try findUTF16(bytes, at: address)
    }
  }

  private func findASCII(_ bytes: RawSpan, at address: UInt64) throws(CheckpointError) {
    let isPrintable = Self.isPrintable.span
    let count = bytes.byteCount
    var place = 0
    while place < count {
      let first = place
      // SAFETY: `place` is below `count`, a byte below 256.
      while place < count,
        unsafe isPrintable[
          unchecked: Int(
            bytes.unsafeLoad(fromUncheckedByteOffset: place, as: UInt8.self))]
      { place += 1 }
      // A run inside these bytes that is too short is not even copied.
      if place - first >= shortest || place == count || !text.isEmpty {
        if text.isEmpty { start = address + UInt64(first) }
        try append(bytes.extracting(first..<place), at: address + UInt64(first))
        if place < count { try endRun() }
      }
      place = Self.endOfZeros(bytes, from: place)
      // SAFETY: as above.
      while place < count,
        unsafe !isPrintable[
          unchecked: Int(
            bytes.unsafeLoad(fromUncheckedByteOffset: place, as: UInt8.self))]
      { place += 1 }
    }
  }

  /// Skips zero bytes, which are common in memory, eight at a time.
  private static func endOfZeros(_ bytes: RawSpan, from start: Int) -> Int {
    var place = start
    // SAFETY: all eight bytes are in the span.
    while place <= bytes.byteCount - 8,
      unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt64.self) == 0
    { place += 8 }
    return place
  }

  private func append(_ bytes: RawSpan, at address: UInt64) throws(CheckpointError) {
    var taken = 0
    while taken < bytes.byteCount {
      let part = min(Self.longest - text.count, bytes.byteCount - taken)
      // SAFETY: the bytes are copied before the closure returns.
      unsafe bytes.extracting(taken..<taken + part).withUnsafeBytes {
        unsafe text.append(contentsOf: $0)
      }
      taken += part
      if text.count == Self.longest { try give(nextStart: address &+ UInt64(taken)) }
    }
  }

  private func give(nextStart: UInt64) throws(CheckpointError) {
    try found(
      Found(address: start, encoding: encoding, text: String(decoding: text, as: UTF8.self)))
    text.removeAll(keepingCapacity: true)
    start = nextStart
    isRest = true
  }

  private func endRun() throws(CheckpointError) {
    if text.count >= shortest || isRest && !text.isEmpty { try give(nextStart: 0) }
    text.removeAll(keepingCapacity: true)
    isRest = false
  }

  /// A character that is not printable ends the run, and the search continues with its second byte, since texts
  /// may begin at odd addresses.
  private func findUTF16(_ bytes: RawSpan, at address: UInt64) throws(CheckpointError) {
    let isPrintable = Self.isPrintable.span
    var place = 0
    while place < bytes.byteCount {
      if half ?? 0 == 0, text.isEmpty, !isRest {
        let end = Self.endOfZeros(bytes, from: place)
        if end > place { half = 0 }
        place = end
        if place == bytes.byteCount { break }
      }
      defer { place += 1 }
      // SAFETY: `place` is in the span, a byte below 256.
      let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: place, as: UInt8.self)
      guard let first = half else {
        half = byte
        continue
      }
      if byte == 0, unsafe isPrintable[unchecked: Int(first)] {
        let end = address &+ UInt64(place) &+ 1
        if text.isEmpty && !isRest { start = end &- 2 }
        text.append(first)
        half = nil
        if text.count == Self.longest { try give(nextStart: end) }
      } else {
        if !text.isEmpty || isRest { try endRun() }
        half = byte
      }
    }
  }
}
