package import CheckpointCodec
package import CheckpointImage
package import Storage

/// A text that names pages: on each line a range of PFNs, and optionally a reason.
///
///     # decimal or hexadecimal
///     0x1000-0x1fff
///     8192+512  free
///     77        user
package enum EvictionList {
  private static let longestText = 64 << 20
  private static let mostLines = 1 << 20
  private static let longestLine = 1 << 10

  /// Reads the pages that a file names; `-` is standard input.
  package static func read(_ path: String, cancellation: Cancellation = Cancellation())
    throws(CheckpointError) -> EvictionPlan
  {
    let file = try LocalFile(path, cancellation: cancellation)
    guard file.length <= UInt64(longestText) else {
      throw CheckpointError(
        .refused, "is not a list of pages: it has more than \(longestText >> 20) MiB",
        file: file.name)
    }
    let text = try file.bytes(at: 0, count: Int(file.length))
    do throws(CheckpointError) {
      return try parse(text)
    } catch {
      throw error.inFile(file.name)
    }
  }

  /// Parses the pages that a text names.
  package static func parse(_ text: [UInt8]) throws(CheckpointError) -> EvictionPlan {
    var entries: [(pfns: Range<PFN>, reason: EvictionReason, line: Int)] = []
    var number = 0
    var rest = text[...]
    while !rest.isEmpty {
      number += 1
      let line = rest.prefix { $0 != UInt8(ascii: "\n") }
      rest = rest.dropFirst(line.count + 1)
      guard line.count <= longestLine else {
        throw refused("has more than \(longestLine) bytes", line: number)
      }
      let words = line.prefix { $0 != UInt8(ascii: "#") }
        .split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == 0x0d }
        .map { String(decoding: $0, as: UTF8.self) }
      guard let first = words.first else { continue }
      guard entries.count < mostLines else {
        throw refused("more than \(mostLines) ranges", line: number)
      }
      guard let pfns = pfns(first) else {
        throw refused(
          "'\(first)' is not a range of PFNs below 2^52, ascending: write 0x100-0x1ff, 0x100+256 or 0x100",
          line: number)
      }
      entries.append((pfns, try reason(words.dropFirst(), line: number), number))
    }
    return try plan(entries)
  }

  private static func plan(_ entries: [(pfns: Range<PFN>, reason: EvictionReason, line: Int)])
    throws(CheckpointError) -> EvictionPlan
  {
    var plan = EvictionPlan()
    var (end, last) = (PFN(0), 0)
    for (pfns, reason, line) in entries.sorted(by: {
      ($0.pfns.lowerBound, $0.line) < ($1.pfns.lowerBound, $1.line)
    }) {
      guard pfns.lowerBound >= end else {
        throw refused(
          "names pages that line \(min(line, last)) names too", line: max(line, last))
      }
      plan.evict(pfns, reason)
      (end, last) = (pfns.upperBound, line)
    }
    return plan
  }

  private static func refused(_ reason: String, line: Int) -> CheckpointError {
    CheckpointError(.refused, reason, structure: "line \(line)")
  }

  private static func reason(_ words: ArraySlice<String>, line: Int) throws(CheckpointError)
    -> EvictionReason
  {
    guard let word = words.first else { return .listed }
    let reasons = EvictionReason.allCases.filter { $0 != .none }
    guard words.count == 1, let reason = reasons.first(where: { "\($0)" == word }) else {
      throw refused(
        "'\(words.joined(separator: " "))' is not a reason: it is one of "
          + reasons.map { "\($0)" }.joined(separator: ", "), line: line)
    }
    return reason
  }

  private static func pfns(_ text: String) -> Range<PFN>? {
    for separator: Character in ["-", "+"] {
      let parts = text.split(separator: separator, omittingEmptySubsequences: false)
      guard parts.count > 1 else { continue }
      guard parts.count == 2, let first = number(parts[0]), let second = number(parts[1]),
        first < Limits.pfnEnd
      else { return nil }
      let count = separator == "+" ? second : second < first ? 0 : second - first + 1
      return count > 0 && count <= Limits.pfnEnd - first ? first..<first + count : nil
    }
    guard let pfn = number(text[...]), pfn < Limits.pfnEnd else { return nil }
    return pfn..<pfn + 1
  }

  /// A number below 2^63, so that sums of two cannot overflow.
  private static func number(_ text: Substring) -> UInt64? {
    let isHexadecimal = text.hasPrefix("0x") || text.hasPrefix("0X")
    let digits = isHexadecimal ? text.dropFirst(2) : text
    guard let first = digits.utf8.first, first != UInt8(ascii: "+"),
      let value = UInt64(digits, radix: isHexadecimal ? 16 : 10), value < 1 << 63
    else { return nil }
    return value
  }
}
