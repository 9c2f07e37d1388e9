import CheckpointCodec
import CheckpointImage
import GuestMemory
import Operations
import TestSupport
import Testing

@Suite struct EvictionListTests {
  private func parse(_ text: String) throws(CheckpointError) -> EvictionPlan {
    try EvictionList.parse(Array(text.utf8))
  }

  @Test func rangesAndReasons() throws {
    let plan = try parse(
      """
      # a comment
      \t 0x10-0x12   # three pages
      100+2\tfree
      7 user\r
      0xFFFFFFFFFFFFF cleanPageCache

      20-20 balloon
      """)
    let expected: [PFN: EvictionReason] = [
      0x10: .listed, 0x11: .listed, 0x12: .listed, 100: .free, 101: .free, 7: .user,
      Limits.pfnEnd - 1: .cleanPageCache, 20: .balloon,
    ]
    for pfn in Array(0..<200) + [Limits.pfnEnd - 2, Limits.pfnEnd - 1] {
      #expect(plan[pfn] == expected[pfn, default: .none], "PFN \(pfn)")
    }
    #expect(try parse("# nothing\n\n").isEmpty)
  }

  @Test func allPagesAreAShortList() throws {
    let plan = try parse("0-0xfffffffffffff")
    #expect(plan[0] == .listed)
    #expect(plan[1 << 51] == .listed)
  }

  @Test func errorsNameTheLine() {
    let wrong = [
      ("1-2\n3-x", "line 2"), ("5-4", "line 1"), ("1+0", "line 1"), ("-1", "line 1"),
      ("0x", "line 1"), ("1-2-3", "line 1"), ("1 2", "'2' is not a reason"),
      ("1 none", "'none' is not a reason"), ("1 free user", "is not a reason"),
      ("0x10000000000000", "line 1"), ("0xfffffffffffff+2", "line 1"),
      ("1+18446744073709551615", "line 1"), ("9\n1-10", "line 2: names pages that line 1"),
      ("1-5\n7\n5-6", "line 3: names pages that line 1"), ("1,2", "line 1"), ("\u{0}", "line 1"),
      ("1\n" + String(repeating: "2 ", count: 600), "line 2: has more than 1024 bytes"),
    ]
    for (text, expected) in wrong {
      let error = #expect(throws: CheckpointError.self) { _ = try parse(text) }
      #expect(error?.kind == .refused)
      #expect(error?.description.contains(expected) == true, "\(text): \(error?.description ?? "")")
    }
  }

  /// Whatever the text, the answer is a plan or an error.
  @Test func wildTexts() {
    var random = SplitMix64.forTest("wild lists")
    let pieces = Array("0123456789xXfF-+ #\n\t\r".utf8)
    var (accepted, refused) = (0, 0)
    for _ in 0..<2000 {
      let text = (0..<Int.random(in: 0..<60, using: &random)).map { _ in
        Int.random(in: 0..<30, using: &random) == 0
          ? UInt8.random(in: 0...255, using: &random) : pieces.randomElement(using: &random) ?? 0
      }
      do throws(CheckpointError) {
        let plan = try EvictionList.parse(text)
        // A text without a digit names no page, and one that names a page has a digit.
        let hasNumber = text.contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        #expect(hasNumber || plan.isEmpty)
        accepted += plan.isEmpty ? 0 : 1
      } catch {
        #expect(error.kind == .refused && error.structure?.hasPrefix("line ") == true, "\(error)")
        refused += 1
      }
    }
    #expect(accepted > 20 && refused > 200, "\(accepted) accepted, \(refused) refused")
  }
}
