import CheckpointCodec
import CheckpointImage
import Formats
import Storage
import TestSupport
import Testing

/// Memory that lies in a file in pieces, read in any order, against the same memory as one array.
@Suite struct ExtentMemoryTests {
  @Test func pagesAreThoseOfTheFlatMemory() throws {
    var random = SplitMix64.forTest("pagesAreThoseOfTheFlatMemory")
    let folder = try TestFolder()
    for round in 0..<20 {
      var flat = [UInt8](repeating: 0, count: 40 * Limits.pageSize)
      var known = [Bool](repeating: false, count: flat.count)
      var file: [UInt8] = []
      var extents: [MemoryExtent] = []
      var address = 0
      while true {
        // Pieces of pages, whole pages, gaps within a page and over several.
        let unit = [1, 700, Limits.pageSize].randomElement(using: &random) ?? 1
        address += Int.random(in: 0...3, using: &random) * unit
        let length = Int.random(in: 1...6, using: &random) * unit
        guard address + length <= flat.count else { break }
        file += (0..<Int.random(in: 0...100, using: &random)).map { _ in 0xee }
        extents.append(
          MemoryExtent(
            address: UInt64(address), offset: UInt64(file.count), length: UInt64(length)))
        for place in address..<address + length {
          flat[place] = UInt8.random(in: 0...255, using: &random)
          known[place] = true
          file.append(flat[place])
        }
        address += length
      }
      try folder.write(file, as: "memory-\(round)")
      let memory = ExtentMemory(try LocalFile(folder.path("memory-\(round)")), extents)
      let pfns: [PFN] = Array(0..<50) + Array(0..<50).shuffled(using: &random) + [.max]
      let buffer = PageBuffer(pages: pfns.count)
      let unknown = Set(try memory.copy(pfns[...], to: buffer, at: 0))
      for (place, pfn) in pfns.enumerated() {
        let start = Int(min(pfn, 1000)) * Limits.pageSize
        let range = start..<start + Limits.pageSize
        let isKnown = range.upperBound <= flat.count && known[range].contains(true)
        #expect(unknown.contains(place) != isKnown, "PFN \(pfn), round \(round)")
        guard isKnown else { continue }
        let found = unsafe buffer.page(place).withUnsafeBytes { unsafe Array($0) }
        #expect(found == Array(flat[range]), "PFN \(pfn), round \(round)")
        #expect(pfn < memory.limit)
      }
    }
  }
}
