import CheckpointImage
import FoundationEssentials
import TestSupport
import Testing

@testable import CommandLineSupport

/// Texts from files on a terminal: they are shown, and they never drive it.
@Suite struct TextTests {
  /// By what Unicode says of each character: controls, separators of lines and paragraphs, and what turns the direction.
  private static func drives(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: scalar.properties.isBidiControl
    }
  }

  @Test func charactersThatDriveATerminal() {
    for value in 0..<UInt32(0x11_0000) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      guard scalar.drivesTerminal != Self.drives(scalar) else { continue }
      Issue.record("U+\(String(value, radix: 16)): \(scalar.drivesTerminal)")
    }
  }

  @Test func printableTexts() {
    let texts = [
      ("", ""), ("grün €", "grün €"), ("a\u{1b}[2Jb", "a?[2Jb"), ("a\nb\tc\r", "a?b?c?"),
      ("\u{9b}31m", "?31m"), ("\u{202e}fdp.exe", "?fdp.exe"), ("a\u{2028}b\u{2066}", "a?b?"),
      ("\u{7f}\u{0}", "??"), ("e\u{301}", "e\u{301}"), ("🇩🇪👩‍👩‍👧", "🇩🇪👩‍👩‍👧"), ("\r\n", "??"),
    ]
    for (text, expected) in texts { #expect(text.printable == expected) }
  }

  private func strings(_ random: inout SplitMix64) -> [String] {
    (0..<300).map { _ in
      var text = ""
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        let range: ClosedRange<UInt32> =
          [
            0...0x7f, 0x22...0x22, 0x5c...0x5c, 0x7f...0xa0, 0x610...0x61c, 0x2000...0x2070,
            0...0xffff, 0x1_0000...0x10_ffff,
          ]
          .randomElement(using: &random) ?? 0...0
        if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) {
          text.unicodeScalars.append(scalar)
        }
      }
      return text
    }
  }

  /// Python reads the same texts of it, and a terminal sees none of them.
  @Test(.enabled(if: Program.areThere("python3"))) func jsonIsReadByOthers() throws {
    var random = SplitMix64.forTest("JSON")
    let strings = strings(&random)
    let encoder = JSONEncoder()
    let pairs = strings.enumerated().map { ["\($0)\($1)": $1] }
    let json = try JSONText.bytes(pairs, encoder)
    let shown = String(decoding: json, as: UTF8.self)
    #expect(!shown.unicodeScalars.contains(where: Self.drives))
    let script =
      "import json, sys\nfor pair in json.load(sys.stdin):\n for word in pair.items():\n  print(*(part.encode().hex() for part in word))"
    let found = try Program.run(["python3", "-c", script], in: TestFolder(), input: json)
    func hexadecimal(_ text: String) -> String { Hexadecimal.string(Array(text.utf8)) }
    let expected = pairs.flatMap { $0 }.map { "\(hexadecimal($0.key)) \(hexadecimal($0.value))\n" }
    #expect(String(decoding: found, as: UTF8.self) == expected.joined())
  }

  /// Each by itself, for others must not be what it is noticed by.
  @Test func everyOneIsEscapedInJSON() throws {
    let encoder = JSONEncoder()
    let scalars = (0..<UInt32(0x3000)).compactMap(Unicode.Scalar.init).filter(Self.drives)
    #expect(scalars.count > 70)
    for scalar in scalars {
      let json = try JSONText.bytes(["a\(scalar)b"], encoder)
      let shown = String(decoding: json, as: UTF8.self)
      #expect(!shown.unicodeScalars.contains(scalar), "U+\(String(scalar.value, radix: 16))")
      #expect(try JSONDecoder().decode([String].self, from: Data(json)) == ["a\(scalar)b"])
    }
  }

  @Test func whatIsNoJSONIsRefused() {
    let error = #expect(throws: CheckpointError.self) {
      _ = try JSONText.bytes([Double.nan], JSONEncoder())
    }
    #expect(error?.kind == .refused)
  }

  @Test func columns() {
    #expect(Column.left("ab", 4) == "ab  " && Column.right("ab", 4) == "  ab")
    for text in ["", "abcd", "abcde"] {
      #expect(Column.left(text, text.count) == text && Column.right(text, 0) == text)
    }
    // Letters count as they are seen, however they are written.
    #expect(Column.left("e\u{301}", 2) == "e\u{301} " && Column.right("grün", 5) == " grün")
  }

  /// Lines are printable, whatever was printed.
  @Test func linesOfResults() throws {
    var stream = ResultStream()
    try stream.print("a\u{1b}b\n")
    try stream.write("c\n")
    #expect(stream.text == "a?b?\nc\n")
  }
}

extension ResultStream {
  /// What waits to be written.
  var text: String {
    String(
      decoding: Mirror(reflecting: self).descendant("pending") as? [UInt8] ?? [], as: UTF8.self)
  }
}
