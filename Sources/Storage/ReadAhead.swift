package import CheckpointImage
internal import Synchronization

/// Reads other storage in pieces of 1 MiB and caches the most recent ones, for work that goes through most of
/// it in order.
package final class ReadAhead: RangeReader {
  /// The size of a piece in bytes.
  package static let pieceSize: UInt64 = 1 << 20

  package var name: String { base.name }
  package var length: UInt64 { base.length }
  package var identity: StorageIdentity { base.identity }
  private let base: any RangeReader
  private let pieces: Pieces

  /// Reads `base` and caches its pieces in `pieces`, which several readers may share. Their storage must live as long
  /// as `pieces`, which knows it by its object.
  package init(_ base: any RangeReader, _ pieces: Pieces) {
    self.base = base
    self.pieces = pieces
  }

  /// Reads `base` and caches up to `pieces` pieces.
  package convenience init(_ base: any RangeReader, pieces: Int) {
    self.init(base, Pieces(limit: pieces))
  }

  package func fetch(_ ranges: [Range<UInt64>]) throws(CheckpointError) -> [ArraySlice<UInt8>] {
    var results: [ArraySlice<UInt8>] = []
    for range in ranges { results.append(try fetch(range)) }
    return results
  }

  private func fetch(_ range: Range<UInt64>) throws(CheckpointError) -> ArraySlice<UInt8> {
    guard !range.isEmpty else { return [] }
    let first = range.lowerBound / Self.pieceSize
    let last = (range.upperBound - 1) / Self.pieceSize
    // A range much longer than a piece gains nothing from being cut.
    guard last - first < 4 else { return try base.fetch([range])[0] }
    if first == last { return part(range, of: try piece(first), first) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    for number in first...last { bytes += part(range, of: try piece(number), number) }
    return bytes[...]
  }

  private func part(_ range: Range<UInt64>, of piece: [UInt8], _ number: UInt64)
    -> ArraySlice<UInt8>
  {
    let whole = number * Self.pieceSize..<number * Self.pieceSize + UInt64(piece.count)
    return piece[...].part(range.clamped(to: whole), of: whole)
  }

  private func piece(_ number: UInt64) throws(CheckpointError) -> [UInt8] {
    let start = number * Self.pieceSize
    return try pieces.piece(
      of: base, start..<min(start + Self.pieceSize, length))
  }

  package func nextData(from offset: UInt64) throws(CheckpointError) -> UInt64 {
    try base.nextData(from: offset)
  }
}

extension ReadAhead {
  /// The pieces that were read last, of one storage or of several.
  package final class Pieces: Sendable {
    private struct Key: Hashable {
      let storage: ObjectIdentifier
      let offset: UInt64
    }

    private let cache: SharedCache<Key, [UInt8]>
    /// The memory of pieces that were dropped, oldest first: fresh memory costs a page fault for each 4 KiB, which takes
    /// longer than reading them. If somebody still has a part of a piece, its memory is not used again.
    private let idle = Mutex<[[UInt8]]>([])
    private static let mostIdle = 1

    /// Keeps up to `limit` pieces.
    package init(limit: Int) { cache = SharedCache(limit: limit) }

    fileprivate func piece(of storage: any RangeReader, _ range: Range<UInt64>)
      throws(CheckpointError) -> [UInt8]
    {
      let key = Key(storage: ObjectIdentifier(storage), offset: range.lowerBound)
      let (future, isNew) = cache.claim(key)
      guard isNew else { return try future.wait() }
      var bytes = idle.withLock { $0.isEmpty ? [] : $0.removeFirst() }
      let result: Result<[UInt8], CheckpointError>
      do throws(CheckpointError) {
        try storage.fetch(range, into: &bytes)
        result = .success(bytes)
      } catch {
        result = .failure(error)
      }
      let dropped = cache.complete(key, result, cost: 1)
      idle.withLock { $0 = ($0 + dropped).suffix(Self.mostIdle) }
      return try result.get()
    }
  }
}
