internal import CheckpointImage

/// How many bytes of a page changed, over many pages.
package struct ChangedBytes: Sendable {
  /// The most bytes of each bin: 1, 4, 16 … 4096. A bin begins behind the one before it.
  package static let ends = (0...6).map { 1 << (2 * $0) }
  /// Pages in each bin.
  package private(set) var bins = [UInt64](repeating: 0, count: ends.count)
  /// Pages whose contents were compared.
  package private(set) var pages: UInt64 = 0
  /// Bytes that changed, of all of them together.
  package private(set) var bytes: UInt64 = 0

  /// No pages.
  package init() {}

  /// Adds a page of which `count` bytes, 1 to 4096, changed.
  package mutating func add(_ count: Int) {
    pages += 1
    bytes += UInt64(count)
    if let bin = Self.ends.firstIndex(where: { count <= $0 }) { bins[bin] += 1 }
  }

  /// How many bytes differ between two pages.
  package static func count(_ before: RawSpan, _ after: RawSpan) -> Int {
    var count = 0
    for offset in stride(from: 0, to: Limits.pageSize, by: 8) {
      // JUSTIFICATION: a byte at a time takes ten times as long. SAFETY: every page has 4096 bytes.
      let words = unsafe (
        before.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self),
        after.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
      )
      var rest = words.0 ^ words.1
      while rest != 0 {
        if rest & 0xff != 0 { count += 1 }
        rest >>= 8
      }
    }
    return count
  }
}
