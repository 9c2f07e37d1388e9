package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
internal import Storage

/// The SHA-256 of flat memory: that of the file which a raw export writes, or of a part of it.
package enum FlatDigest {
  /// A limit: more zeros than any machine's memory mean a damaged or hostile image.
  private static let longestGap: UInt64 = 1 << 44

  /// The digest of the bytes of some pages; unknown contents count as zeros.
  package static func compute(
    _ pages: Range<PFN>, of chain: Chain, on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in }
  ) throws(CheckpointError) -> Digest {
    let hasher = SHA256Hasher()
    let size = UInt64(Limits.pageSize)
    guard let first = pages.first, UInt64(pages.count) < 1 << 51,
      let range = MemoryRange(address: first * size, length: UInt64(pages.count) * size)
    else {
      guard pages.isEmpty else { throw tooLong(UInt64(pages.count), chain) }
      return hasher.finish()
    }
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    try MemoryReader.read(
      range, of: chain, on: pool, bytes: { hasher.update($0) },
      zeros: { (count) throws(CheckpointError) in
        guard count < longestGap else { throw tooLong(count / size, chain) }
        var left = count
        while left > 0 {
          try pool.cancellation.check()
          let part = min(left, UInt64(zeros.count))
          hasher.update(zeros.rawSpan.extracting(first: Int(part)))
          left -= part
        }
      }, progress: progress)
    return hasher.finish()
  }

  private static func tooLong(_ pages: UInt64, _ chain: Chain) -> CheckpointError {
    CheckpointError(
      .refused, "a hole of \(pages) pages: too much to be hashed as zeros", file: chain.tip.name)
  }
}
