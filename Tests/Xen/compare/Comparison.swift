#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
@testable internal import XenDomain

/// What the library reads of a domain's memory, looked at page by page.
struct Comparison {
  let memory: any DomainMemory
  private let clock = ContinuousClock()

  init(_ memory: any DomainMemory) { self.memory = memory }

  /// All pages with contents, a batch at a time; the result are those that could not be had.
  private func readAll(_ body: (PFN, RawSpan) -> Void) throws -> [PFN] {
    let pfns = (0..<memory.limit).filter { memory.status($0).state == .data }
    let buffer = PageBuffer()
    var missing: [PFN] = []
    for start in stride(from: 0, to: pfns.count, by: PageBuffer.capacity) {
      let batch = pfns[start..<min(start + PageBuffer.capacity, pfns.count)]
      let absent = Set(try memory.copy(batch, to: buffer, at: 0))
      for (slot, pfn) in batch.enumerated() {
        if absent.contains(start + slot) {
          missing.append(pfn)
        } else {
          body(pfn, buffer.page(slot))
        }
      }
    }
    return missing
  }

  private func text(_ pfn: PFN) -> String { "PFN 0x\(String(pfn, radix: 16))" }

  /// Reads all memory while the guest runs; the result counts what is wrong.
  func live(rounds: Int) throws -> Int {
    var problems = 0
    for round in 1...rounds {
      var changed = 0
      let refresh = try clock.measure { changed = try memory.refresh(isStill: false).count }
      var missing: [PFN] = []
      let copy = try clock.measure { missing = try readAll { _, _ in } }
      let others = missing.filter { !(1...4).contains(memory.status($0).type & 7) }
      print(
        "round \(round): limit \(memory.limit), \(changed) changed, \(missing.count) page tables not had, \(others.count) other pages not had; refresh \(refresh), copy \(copy)"
      )
      problems += others.count
    }
    print("unlogged pages:", try memory.unloggedPages().map(text).joined(separator: " "))
    return problems
  }

  /// Compares with Xen's own save of the same pause; the result counts differences.
  func suspended(_ saved: SavedStream) throws -> Int {
    var differences = 0
    func differ(_ text: String) {
      differences += 1
      if differences <= 20 { print("DIFFERENT:", text) }
    }
    var changed = 0
    let refresh = try clock.measure { changed = try memory.refresh(isStill: true).count }
    var again = 0
    let second = try clock.measure { again = try memory.refresh(isStill: true).count }
    if again != 0 { differ("\(again) pages changed while the guest was suspended") }

    let records =
      try memory.staticRecords() + memory.stickyRecords() + memory.epochRecords()
    if records.map(\.key.type) != saved.records.map(\.type) {
      differ("records \(records.map(\.key.type)), Xen has \(saved.records.map(\.type))")
    }
    for (record, expected) in zip(records, saved.records) {
      let payload = SavedStream.timeless(expected.type, record.payload ?? [])
      let theirs = SavedStream.timeless(expected.type, expected.payload)
      if payload != theirs {
        let place = zip(payload, theirs).enumerated().first { $1.0 != $1.1 }?.offset
        differ(
          "record \(expected.type): \(payload.count) bytes, Xen has \(theirs.count); first at \(place ?? -1)"
        )
      }
    }

    var read = 0
    var tables = 0
    var count = 0
    let copy = try clock.measure {
      let missing = try readAll { pfn, page in
        count += 1
        guard let expected = saved.pages[pfn]?.contents else {
          return differ("\(text(pfn)) has contents, in Xen's save it has none")
        }
        read += 1
        let type = memory.status(pfn).type
        if type != 0 { tables += 1 }
        let isSame = unsafe page.withUnsafeBytes { mine in
          unsafe saved.bytes.withUnsafeBytes { theirs in
            let other = unsafe UnsafeRawBufferPointer(
              rebasing: theirs[expected..<expected + mine.count])
            guard let left = mine.baseAddress, let right = other.baseAddress else { return false }
            return unsafe memcmp(left, right, mine.count) == 0
          }
        }
        if !isSame { differ("\(text(pfn)) of type \(type)") }
      }
      for pfn in missing { differ("\(text(pfn)) could not be had") }
    }
    for pfn in 0..<max(memory.limit, (saved.pages.keys.max() ?? 0) + 1) {
      let status = memory.status(pfn)
      let type: UInt8 =
        switch status.state {
        case .data: status.type
        case .broken: 13
        case .allocateOnly: 14
        default: 15
        }
      let expected = saved.pages[pfn]?.type ?? 15
      if type != expected { differ("\(text(pfn)) has type \(type), in Xen's save \(expected)") }
    }
    print(
      "\(read) pages (\(tables) page tables) and \(records.count) records compared, \(differences) differ; "
        + "\(changed) populated of \(memory.limit); refresh \(refresh), again \(second), copy and compare \(copy)"
    )
    print("unlogged pages:", try memory.unloggedPages().map(text).joined(separator: " "))
    return differences
  }
}
#endif
