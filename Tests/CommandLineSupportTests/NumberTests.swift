import ArgumentParser
import CheckpointImage
import CommandLineSupport
import TestSupport
import Testing

/// Numbers that people write, and that they read.
@Suite struct NumberTests {
  @Test func whatIsWrittenIsRead() throws {
    var random = SplitMix64.forTest("numbers")
    for _ in 0..<500 {
      let value = random.next() >> UInt64.random(in: 0..<64, using: &random)
      let digits = String(value, radix: 16)
      #expect(try Number.parse("\(value)") == value)
      #expect(try Number.parse("0x\(digits)") == value)
      #expect(try Number.parse("0X\(digits.uppercased())") == value)
      #expect(try Number.parse("0x000\(digits)") == value)
    }
    // No number is octal.
    #expect(try Number.parse("010") == 10)
    #expect(try Number.parse("18446744073709551615") == .max)
  }

  @Test(arguments: [
    "", "0x", "0X", "-1", "+1", "0x-1", "0x+1", " 1", "1 ", "1_000", "1,000", "1e3", "1.0", "0b1",
    "f",
    "0xg", "١", "１", "18446744073709551616", "0x10000000000000000", "4k",
  ])
  func whatIsNoNumberIsRefused(_ text: String) {
    let error = #expect(throws: ValidationError.self) { _ = try Number.parse(text) }
    #expect(error?.message.hasPrefix("'\(text)' is not a number") == true)
    #expect(throws: ValidationError.self) { _ = try Number.parsePFN(text) }
    #expect(throws: ValidationError.self) { _ = try Number.parsePFNs("0-\(text)") }
  }

  @Test func whatIsNoTextOfANumberIsRefused() {
    // No arguments of the test: these are printed.
    for text in ["\u{0}", "1\u{0}"] { whatIsNoNumberIsRefused(text) }
  }

  @Test func pageNumbers() throws {
    #expect(try Number.parsePFN("0xfffffffffffff") == Limits.pfnEnd - 1)
    let error = #expect(throws: ValidationError.self) {
      _ = try Number.parsePFN("4503599627370496")
    }
    #expect(error?.message == "PFN '4503599627370496' is too large: PFNs are below 2^52")
    #expect(try Number.parsePFNs("7") == 7..<8)
    #expect(try Number.parsePFNs("7-7") == 7..<8)
    #expect(try Number.parsePFNs("16-0x1f") == 16..<32)
    #expect(try Number.parsePFNs("0-0xfffffffffffff") == 0..<Limits.pfnEnd)
    for (text, said) in [
      ("5-4", "ends before it begins"), ("1-2-3", "is not a range"), ("-", "is not a number"),
      ("1-", "is not a number"), ("-1", "is not a number"), ("0-0x10000000000000", "is too large"),
    ] {
      let error = #expect(throws: ValidationError.self) { _ = try Number.parsePFNs(text) }
      #expect(error?.message.contains(said) == true, "\(text): \(error?.message ?? "")")
    }
  }

  @Test func patternsOfNames() {
    let names: [(String, Int, String?)] = [
      ("web-%d.ckpt", 7, "web-7.ckpt"), ("web-%04d.ckpt", 7, "web-0007.ckpt"),
      ("web-%04d.ckpt", 123_456, "web-123456.ckpt"), ("%d", 0, "0"), ("%01d", 3, "3"),
      ("in/%d-web%%", 1, "in/1-web%%"), ("%d/web-%d", 2, "%d/web-2"), ("%d/%d/%02d", 2, "%d/%d/02"),
      ("100%-%d", 5, "100%-5"), ("%%d", 5, "%5"), ("ä%d€", 5, "ä5€"),
      ("web.ckpt", 1, nil), ("%d-%d", 1, nil), ("%d/web", 1, nil), ("%d/", 1, nil), ("%0d", 1, nil),
      ("%10d", 1, nil), ("%4d", 1, nil), ("%x", 1, nil), ("% d", 1, nil), ("%-4d", 1, nil),
      ("", 1, nil),
    ]
    for (pattern, number, path) in names {
      #expect(NumberedName(pattern)?.path(number) == path, "\(pattern)")
    }
  }

  /// printf(1) makes the same of a pattern.
  @Test(.enabled(if: Program.areThere("printf"))) func patternsAreThoseOfPrintf() throws {
    var random = SplitMix64.forTest("patterns")
    let folder = try TestFolder()
    for _ in 0..<40 {
      let width = Int.random(in: 0...9, using: &random)
      let pattern = "a/b-%\(width == 0 ? "" : "0\(width)")d.ckpt"
      let number = Int(random.next() >> UInt64.random(in: 1..<64, using: &random))
      let expected = try Program.run(["printf", pattern, "\(number)"], in: folder)
      #expect(NumberedName(pattern)?.path(number) == String(decoding: expected, as: UTF8.self))
    }
  }

  @Test func sizes() {
    let sizes: [(UInt64, String)] = [
      (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1049, "1.0 kB"), (1050, "1.1 kB"),
      (4096, "4.1 kB"), (65_536, "65.5 kB"), (1_000_000, "1.0 MB"), (536_870_912, "536.9 MB"),
      (2_000_000_000, "2.0 GB"), (1 << 40, "1.1 TB"), (1 << 50, "1.1 PB"), (.max, "18.4 EB"),
    ]
    for (bytes, text) in sizes { #expect(ByteCount.text(bytes) == text) }
    // What is rounded up to 1000 of a unit is one of the next.
    for (bytes, text) in [(999_950, "1.0 MB"), (999_999_999, "1.0 GB")] as [(UInt64, String)] {
      #expect(ByteCount.text(bytes) == text)
    }
  }

  /// A size that is shown is within half of its last digit of what it is.
  @Test func sizesAreRounded() throws {
    var random = SplitMix64.forTest("sizes")
    let units: [Substring: Double] = [
      "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15, "EB": 1e18,
    ]
    for _ in 0..<1000 {
      let bytes = random.next() >> UInt64.random(in: 0..<64, using: &random)
      let parts = ByteCount.text(bytes).split(separator: " ")
      let unit = try #require(units[parts[1]])
      let value = try #require(Double(parts[0]))
      let error = abs(value * unit - Double(bytes))
      #expect(error <= (unit == 1 ? 0 : 0.0501 * unit), "\(bytes): \(parts)")
      #expect(unit == 1 || Double(bytes) >= unit, "\(bytes): \(parts)")
    }
  }

  @Test func nouns() {
    #expect(Count.text(0, "page") == "0 pages")
    #expect(Count.text(1, "page") == "1 page")
    #expect(Count.text(UInt64.max, "page") == "18446744073709551615 pages")
  }
}
