internal import CMemmem
package import CheckpointImage

/// Finds a byte pattern in memory, also across page borders; matches do not overlap.
package final class PatternSearch: MemoryVisitor {
  /// The longest pattern in bytes.
  package static let longestPattern = 1 << 16

  private let pattern: [UInt8]
  private let found: (UInt64) throws(CheckpointError) -> Void
  /// The last bytes before the next ones, one fewer than the pattern has, in which a match may begin.
  private var tail: [UInt8] = []
  private var next: UInt64?

  /// A search for `pattern`, which is not empty; `found` takes the address of each match.
  package init(_ pattern: [UInt8], found: @escaping (UInt64) throws(CheckpointError) -> Void) {
    precondition(!pattern.isEmpty)
    self.pattern = pattern
    self.found = found
  }

  /// Resets the search: no match extends across unknown pages.
  package func visit(_ gap: StateExtent) {
    tail.removeAll(keepingCapacity: true)
    next = nil
  }

  /// Searches the next pages.
  package func visit(_ bytes: RawSpan, at address: UInt64) throws(CheckpointError) {
    if next != address { tail.removeAll(keepingCapacity: true) }
    next = address &+ UInt64(bytes.byteCount)
    var searched = 0
    if !tail.isEmpty {
      // Matches that begin in the tail; the pages may be shorter than the pattern.
      var joint = tail
      let head = min(pattern.count - 1, bytes.byteCount)
      // SAFETY of all uses here: the pointers are used only inside the closures.
      unsafe bytes.extracting(first: head).withUnsafeBytes {
        unsafe joint.append(contentsOf: $0)
      }
      let before = tail.count
      let end = try find(joint.rawSpan, from: 0, at: address - UInt64(before))
      searched = max(0, end - before)
      if bytes.byteCount < pattern.count - 1 {
        tail = Array(joint[max(end, joint.count - (pattern.count - 1))...])
        return
      }
    }
    let end = try find(bytes, from: searched, at: address)
    let rest = max(end, bytes.byteCount - (pattern.count - 1), 0)
    tail.removeAll(keepingCapacity: true)
    unsafe bytes.extracting(min(rest, bytes.byteCount)..<bytes.byteCount).withUnsafeBytes {
      unsafe tail.append(contentsOf: $0)
    }
  }

  /// Reports all matches from `start` on; returns the end of the last one, or `start`.
  private func find(_ bytes: RawSpan, from start: Int, at address: UInt64)
    throws(CheckpointError) -> Int
  {
    var place = start
    while let match = first(bytes.extracting(droppingFirst: place)) {
      try found(address + UInt64(place + match))
      place += match + pattern.count
    }
    return place
  }

  private func first(_ bytes: RawSpan) -> Int? {
    unsafe bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress,
        let match = unsafe memmem(base, bytes.count, pattern, pattern.count)
      else { return nil }
      return unsafe UnsafeRawPointer(match) - base
    }
  }
}
