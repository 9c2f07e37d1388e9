package import CheckpointChain
internal import CheckpointCodec
package import CheckpointImage

/// Reads short ranges anywhere in a chain's memory; expanded regions are cached.
package struct MemoryWindow: Sendable {
  /// The longest run in bytes.
  package static let longest = 1 << 19

  private let reader: PageReader

  /// The memory of the chain's tip.
  package init(_ chain: Chain) { reader = PageReader(chain) }

  /// The bytes of a range of at most `longest` bytes, with zeros for unknown contents.
  package func bytes(_ range: MemoryRange) throws(CheckpointError) -> [UInt8] {
    precondition(range.length <= UInt64(Self.longest))
    let batch = try reader.read([range.pages])
    let start = Int(range.address % UInt64(Limits.pageSize))
    let pages = batch.buffer.bytes(0..<batch.pages.count)
    // SAFETY: the bytes are copied before the closure returns.
    return unsafe pages.extracting(start..<start + Int(range.length)).withUnsafeBytes {
      unsafe Array($0)
    }
  }
}
