import CheckpointImage
import Inspection
import TestSupport
import Testing

/// Searches in memory that comes in pieces find what a search in the whole finds.
@Suite struct SearchTests {
  /// Gives `memory` to a visitor in pages and runs of pages; `holes` are pages that are not known.
  private func show(
    _ memory: [UInt8], holes: Set<Int> = [], from base: UInt64 = 0, to visitor: any MemoryVisitor,
    pageSize: Int = 64, _ random: inout SplitMix64
  ) throws {
    var page = 0
    let pages = memory.count / pageSize
    while page < pages {
      if holes.contains(page) {
        try visitor.visit(
          StateExtent(pfn: UInt64(page), count: 1, status: PageStatus(.unreadable)))
        page += 1
        continue
      }
      var end = page + 1
      while end < pages, !holes.contains(end), Bool.random(using: &random) { end += 1 }
      let part = Array(memory[page * pageSize..<end * pageSize])
      try visitor.visit(part.rawSpan, at: base + UInt64(page * pageSize))
      page = end
    }
  }

  private func matches(_ pattern: [UInt8], in memory: [UInt8], _ parts: [Range<Int>]) -> [UInt64] {
    var found: [UInt64] = []
    for part in parts {
      var place = part.lowerBound
      while place + pattern.count <= part.upperBound {
        if Array(memory[place..<place + pattern.count]) == pattern {
          found.append(UInt64(place))
          place += pattern.count
        } else {
          place += 1
        }
      }
    }
    return found
  }

  private func known(_ pages: Int, without holes: Set<Int>, _ pageSize: Int) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    for page in 0..<pages where !holes.contains(page) {
      let start = page * pageSize
      if parts.last?.upperBound == start {
        parts[parts.count - 1] = parts[parts.count - 1].lowerBound..<start + pageSize
      } else {
        parts.append(start..<start + pageSize)
      }
    }
    return parts
  }

  @Test func patternsAcrossBorders() throws {
    var random = SplitMix64.forTest("patternsAcrossBorders")
    for _ in 0..<400 {
      let pageSize = [1, 2, 8, 64].randomElement(using: &random) ?? 8
      let pages = Int.random(in: 1...40, using: &random)
      let letters = UInt8.random(in: 1...3, using: &random)
      let memory = (0..<pages * pageSize).map { _ in UInt8.random(in: 0..<letters, using: &random) }
      let pattern = (0..<Int.random(in: 1...9, using: &random)).map { _ in
        UInt8.random(in: 0..<letters, using: &random)
      }
      let holes = Set(
        (0..<Int.random(in: 0...3, using: &random)).map { _ in
          Int.random(in: 0..<pages, using: &random)
        })
      var found: [UInt64] = []
      let search = PatternSearch(pattern) { found.append($0) }
      try show(memory, holes: holes, to: search, pageSize: pageSize, &random)
      #expect(found == matches(pattern, in: memory, known(pages, without: holes, pageSize)))
    }
  }

  /// What strings(1) does, as its source says: from each place on, the longest run.
  private func strings(_ memory: ArraySlice<UInt8>, width: Int, atLeast shortest: Int)
    -> [(UInt64, String)]
  {
    var found: [(UInt64, String)] = []
    var place = memory.startIndex
    while place + width <= memory.endIndex {
      var end = place
      var text = ""
      while end + width <= memory.endIndex,
        (0x20...0x7e).contains(memory[end]) || memory[end] == 9,
        width == 1 || memory[end + 1] == 0
      {
        text.unicodeScalars.append(Unicode.Scalar(memory[end]))
        end += width
      }
      if text.unicodeScalars.count >= shortest { found.append((UInt64(place), text)) }
      // The character that ended the run may be the second half of another.
      place = end + 1
    }
    return found
  }

  @Test(arguments: StringSearch.Encoding.allCases)
  func stringsAcrossBorders(_ encoding: StringSearch.Encoding) throws {
    var random = SplitMix64.forTest("stringsAcrossBorders")
    let letters: [UInt8] = encoding == .ascii ? [65, 66, 9, 126, 0, 127] : [65, 0, 0, 9, 200]
    for _ in 0..<400 {
      let pages = Int.random(in: 1...30, using: &random)
      var memory = (0..<pages * 8).map { _ in letters.randomElement(using: &random) ?? 0 }
      // Zeros are skipped in large steps.
      for _ in 0..<3 {
        let start = Int.random(in: 0..<memory.count, using: &random)
        for place in start..<min(memory.count, start + Int.random(in: 1...40, using: &random)) {
          memory[place] = 0
        }
      }
      let holes = Set([Int.random(in: 0..<pages * 2, using: &random)])
      let shortest = Int.random(in: 1...5, using: &random)
      var found: [(UInt64, String)] = []
      let search = StringSearch(encoding, atLeast: shortest) { found.append(($0.address, $0.text)) }
      try show(memory, holes: holes, to: search, pageSize: 8, &random)
      try search.finish()
      let expected = known(pages, without: holes, 8).flatMap {
        strings(memory[$0], width: encoding == .ascii ? 1 : 2, atLeast: shortest)
      }
      #expect(found.map(\.0) == expected.map(\.0))
      #expect(found.map(\.1) == expected.map(\.1))
    }
  }

  /// Memory full of one letter is given in pieces, without one being lost.
  @Test(arguments: StringSearch.Encoding.allCases)
  func longStrings(_ encoding: StringSearch.Encoding) throws {
    var random = SplitMix64.forTest("longStrings")
    let memory = (0..<1 << 20).map { encoding == .utf16 && $0 % 2 == 1 ? 0 : UInt8(0x41) }
    var next: UInt64 = 0
    let search = StringSearch(encoding, atLeast: 4) {
      #expect($0.address == next)
      next = $0.address + UInt64($0.text.utf8.count * (encoding == .ascii ? 1 : 2))
    }
    try show(memory, to: search, pageSize: 4096, &random)
    try search.finish()
    #expect(next == 1 << 20)
  }

  /// The last page of the address space has an end that is no number.
  @Test func lastPage() throws {
    var random = SplitMix64.forTest("lastPage")
    let base = UInt64.max - 4095
    let memory = [UInt8](repeating: 0x41, count: 4096)
    var found: [UInt64] = []
    let search = PatternSearch([0x41, 0x41]) { found.append($0) }
    try show(memory, from: base, to: search, pageSize: 4096, &random)
    #expect(found.last == UInt64.max - 1)
    var places: [UInt64] = []
    let strings = StringSearch(.ascii, atLeast: 4) { places.append($0.address) }
    try show(memory, from: base, to: strings, pageSize: 4096, &random)
    try strings.finish()
    #expect(places == [base])
    let wide = StringSearch(.utf16, atLeast: 4) { _ in Issue.record("found") }
    try show(memory, from: base, to: wide, pageSize: 4096, &random)
    try wide.finish()
    #expect(MemoryRange(address: base, length: 4096)?.pages == Limits.pfnEnd - 1..<Limits.pfnEnd)
    #expect(MemoryRange(address: base, length: 4097) == nil)
  }
}
