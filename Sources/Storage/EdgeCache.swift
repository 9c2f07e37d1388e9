package import CheckpointImage

/// Caches the first and last bytes of other storage, so that a head and a tail cost one request; everything
/// else is fetched on demand.
package final class EdgeCache: RangeReader {
  package var name: String { base.name }
  package var length: UInt64 { base.length }
  package var identity: StorageIdentity { base.identity }
  private let base: any RangeReader
  private let edges: [(range: Range<UInt64>, bytes: ArraySlice<UInt8>)]

  /// Reads `head` bytes from the start and `tail` bytes from the end, or everything if that is less.
  package init(_ base: any RangeReader, head: UInt64, tail: UInt64) throws(CheckpointError) {
    self.base = base
    let length = base.length
    let ranges =
      length <= head + tail ? [0..<length] : [0..<head, length - tail..<length]
    edges = Array(zip(ranges, try base.read(ranges)))
  }

  package func fetch(_ ranges: [Range<UInt64>]) throws(CheckpointError) -> [ArraySlice<UInt8>] {
    var results: [ArraySlice<UInt8>] = []
    for range in ranges {
      let edge = edges.first {
        $0.range.lowerBound <= range.lowerBound && range.upperBound <= $0.range.upperBound
      }
      if let edge {
        results.append(edge.bytes.part(range, of: edge.range))
      } else {
        results.append(try base.slice(at: range.lowerBound, count: range.count))
      }
    }
    return results
  }

  package func nextData(from offset: UInt64) throws(CheckpointError) -> UInt64 {
    try base.nextData(from: offset)
  }
}
