import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Inspection
import Storage

/// Writes bytes of memory as they come, since they may not fit into memory.
protocol RangeWriter: AnyObject {
  func begin(_ range: MemoryRange) throws(CheckpointError)
  func write(_ bytes: RawSpan) throws(CheckpointError)
  func writeZeros(_ count: UInt64) throws(CheckpointError)
  func end(_ gaps: GapNotes) throws(CheckpointError)
}

/// Writes the bytes unchanged.
final class RawRangeWriter: RangeWriter {
  private let output: any ByteSink
  private let zeros = [UInt8](repeating: 0, count: 1 << 17)

  init() throws(CheckpointError) { output = try openStandardOutput() }

  func begin(_ range: MemoryRange) {}

  func write(_ bytes: RawSpan) throws(CheckpointError) { try output.write(bytes) }

  func writeZeros(_ count: UInt64) throws(CheckpointError) {
    let zeros = zeros
    var left = count
    while left > 0 {
      let part = min(left, UInt64(zeros.count))
      try output.write(zeros.rawSpan.extracting(first: Int(part)))
      left -= part
    }
  }

  func end(_ gaps: GapNotes) {}
}

/// Writes addresses, bytes and characters.
final class HexRangeWriter: RangeWriter {
  private var output = ResultStream()
  private var dump: HexDump

  init(_ address: UInt64) { dump = HexDump(at: address) }

  func begin(_ range: MemoryRange) {}

  func write(_ bytes: RawSpan) throws(CheckpointError) { try dump.add(bytes, to: &output) }

  func writeZeros(_ count: UInt64) throws(CheckpointError) {
    try dump.addZeros(count, to: &output)
  }

  func end(_ gaps: GapNotes) throws(CheckpointError) {
    try dump.end(to: &output)
    try output.flush()
  }
}

/// Writes one JSON object with the bytes in hexadecimal.
final class JSONRangeWriter: RangeWriter {
  private var output = ResultStream()

  func begin(_ range: MemoryRange) throws(CheckpointError) {
    try output.print("{")
    try output.print("  \"address\" : \(range.address),")
    try output.write("  \"contents\" : \"")
  }

  func write(_ bytes: RawSpan) throws(CheckpointError) {
    var start = 0
    while start < bytes.byteCount {
      let end = min(start + 1 << 15, bytes.byteCount)
      // SAFETY: the bytes are copied before the closure returns.
      let part = unsafe bytes.extracting(start..<end).withUnsafeBytes { unsafe Array($0) }
      try output.write(Hexadecimal.string(part))
      start = end
    }
  }

  func writeZeros(_ count: UInt64) throws(CheckpointError) {
    var left = count
    while left > 0 {
      let part = min(left, 1 << 15)
      try output.write(String(repeating: "00", count: Int(part)))
      left -= part
    }
  }

  func end(_ gaps: GapNotes) throws(CheckpointError) {
    try output.print("\",")
    let pages = gaps.pages.sorted { $0.key < $1.key }.map { "\"\($0.key)\" : \($0.value)" }
    try output.print("  \"pagesShownAsZeros\" : { \(pages.joined(separator: ", ")) }")
    try output.print("}")
    try output.flush()
  }
}
