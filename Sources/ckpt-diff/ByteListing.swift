import CheckpointChain
import CheckpointImage
import CommandLineSupport

/// A line for every eight bytes with a change: the address, the bytes before, the bytes after.
final class ByteListing: Listing {
  private struct Page: Encodable {
    var pfn: PFN
    var how: ChangeReport
    /// The bytes that changed; empty if they are unknown for one of the moments.
    var bytes: [Bytes]
  }

  /// Consecutive bytes that all changed.
  private struct Bytes: Encodable {
    var address: UInt64
    var before: String
    var after: String
  }

  private static let width = 8

  private var output = ResultStream()
  private var list: JSONList?

  init(json: Bool) { list = json ? JSONList() : nil }

  func add(_ run: Difference.Run) throws(CheckpointError) {
    guard !run.change.contentsDiffer else { return }
    // Without both contents, it is only known that the pages differ.
    for pfn in run.pages {
      if list != nil {
        try list?.add(Page(pfn: pfn, how: ChangeReport(run.change), bytes: []))
      } else {
        try output.print("page \(Hexadecimal.string(pfn)): \(run.change.text)")
      }
    }
  }

  func add(_ pfn: PFN, _ change: PageChange, _ before: RawSpan, _ after: RawSpan)
    throws(CheckpointError)
  {
    let address = pfn << UInt64(Limits.pageShift)
    if list != nil {
      let runs = Self.runs(before, after).map {
        Bytes(
          address: address + UInt64($0.lowerBound),
          before: Hexadecimal.string($0.map { before.byte($0) }),
          after: Hexadecimal.string($0.map { after.byte($0) }))
      }
      try list?.add(Page(pfn: pfn, how: ChangeReport(change), bytes: runs))
      return
    }
    try output.print("page \(Hexadecimal.string(pfn)): \(change.text)")
    for start in stride(from: 0, to: Limits.pageSize, by: Self.width) {
      let row = start..<start + Self.width
      guard row.contains(where: { before.byte($0) != after.byte($0) }) else { continue }
      try output.print(Self.line(address + UInt64(start), row, before, after))
    }
  }

  private static func line(
    _ address: UInt64, _ row: Range<Int>, _ before: RawSpan, _ after: RawSpan
  ) -> String {
    let number = Array(String(address, radix: 16).utf8)
    var line = [UInt8](repeating: 0x30, count: max(0, 10 - number.count)) + number
    append(row.map { before.byte($0) }, to: &line)
    append(row.map { after.byte($0) }, to: &line)
    return String(decoding: line, as: UTF8.self)
  }

  private static func append(_ bytes: [UInt8], to line: inout [UInt8]) {
    line += [0x20, 0x20]
    for byte in bytes {
      Hexadecimal.append(byte, to: &line)
      line.append(0x20)
    }
    line.append(0x7c)
    line += bytes.map { (0x20...0x7e).contains($0) ? $0 : 0x2e }
    line.append(0x7c)
  }

  private static func runs(_ before: RawSpan, _ after: RawSpan) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for place in 0..<Limits.pageSize where before.byte(place) != after.byte(place) {
      if let last = runs.last, last.upperBound == place {
        runs[runs.count - 1] = last.lowerBound..<place + 1
      } else {
        runs.append(place..<place + 1)
      }
    }
    return runs
  }

  func end() throws(CheckpointError) {
    try list?.end()
    try output.flush()
  }
}

extension RawSpan {
  fileprivate func byte(_ offset: Int) -> UInt8 {
    // SAFETY: the load checks its bounds; any bytes are a valid number.
    unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
}
