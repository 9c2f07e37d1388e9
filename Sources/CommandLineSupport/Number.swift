internal import ArgumentParser
package import CheckpointImage

/// Parses addresses and page numbers of the command line: decimal, or hexadecimal after `0x`.
package enum Number {
  /// A number; throws `ValidationError` if it is none.
  package static func parse(_ text: String) throws -> UInt64 {
    let isHexadecimal = text.hasPrefix("0x") || text.hasPrefix("0X")
    let digits = isHexadecimal ? text.dropFirst(2) : text[...]
    // The standard library would accept a sign.
    guard let first = digits.utf8.first, first != 0x2b, first != 0x2d,
      let value = UInt64(digits, radix: isHexadecimal ? 16 : 10)
    else {
      throw ValidationError(
        "'\(text)' is not a number: write it as 4096 or 0x1000, below 2^64")
    }
    return value
  }

  /// A page number; throws `ValidationError` if it is none.
  package static func parsePFN(_ text: String) throws -> PFN {
    let value = try parse(text)
    guard value < Limits.pfnEnd else {
      throw ValidationError("PFN '\(text)' is too large: PFNs are below 2^52")
    }
    return value
  }

  /// A range of pages by first and last, such as `0x100-0x1ff`, or a single page.
  package static func parsePFNs(_ text: String) throws -> Range<PFN> {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count <= 2 else {
      throw ValidationError("'\(text)' is not a range: write it as 0x100-0x1ff")
    }
    let first = try parsePFN(String(parts[0]))
    let last = try parsePFN(String(parts[parts.count - 1]))
    guard first <= last else {
      throw ValidationError("the range '\(text)' ends before it begins")
    }
    return first..<last + 1
  }
}
