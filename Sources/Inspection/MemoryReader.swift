package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage

/// Delivers the bytes of a range in order, with zeros for unknown contents.
package final class MemoryReader: MemoryVisitor {
  private let range: MemoryRange
  private let bytes: (RawSpan) throws(CheckpointError) -> Void
  private let zeros: (UInt64) throws(CheckpointError) -> Void
  private let gap: (StateExtent) throws(CheckpointError) -> Void

  private init(
    _ range: MemoryRange, _ bytes: @escaping (RawSpan) throws(CheckpointError) -> Void,
    _ zeros: @escaping (UInt64) throws(CheckpointError) -> Void,
    _ gap: @escaping (StateExtent) throws(CheckpointError) -> Void
  ) {
    self.range = range
    self.bytes = bytes
    self.zeros = zeros
    self.gap = gap
  }

  /// Reads `range` of the chain's tip.
  ///
  /// - Parameters:
  ///   - bytes: takes the next bytes.
  ///   - zeros: takes the number of zero bytes that replace unknown contents.
  ///   - gap: takes the pages whose contents are unknown.
  package static func read(
    _ range: MemoryRange, of chain: Chain, on pool: WorkerPool,
    bytes: @escaping (RawSpan) throws(CheckpointError) -> Void,
    zeros: @escaping (UInt64) throws(CheckpointError) -> Void,
    gap: @escaping (StateExtent) throws(CheckpointError) -> Void = { _ in },
    progress: (Double?) -> Void = { _ in }
  ) throws(CheckpointError) {
    try MemoryWalk.run(
      range.pages, of: chain, on: pool, [MemoryReader(range, bytes, zeros, gap)],
      progress: progress)
  }

  /// Passes on the bytes that lie in the range.
  package func visit(_ bytes: RawSpan, at address: UInt64) throws(CheckpointError) {
    try self.bytes(bytes.extracting(range.part(of: bytes.byteCount, from: address)))
  }

  /// Passes on the zeros of unknown pages.
  package func visit(_ gap: StateExtent) throws(CheckpointError) {
    try self.gap(gap)
    try zeros(range.overlap(gap))
  }
}
