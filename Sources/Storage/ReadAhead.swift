package import CheckpointImage

/// Reads other storage in pieces of 1 MiB and caches the most recent ones, for work that goes through most of
/// it in order.
package final class ReadAhead: RangeReader {
  /// The size of a piece in bytes.
  package static let pieceSize: UInt64 = 1 << 20

  package var name: String { base.name }
  package var length: UInt64 { base.length }
  package var identity: StorageIdentity { base.identity }
  private let base: any RangeReader
  private let pieces: SharedCache<Piece, ArraySlice<UInt8>>

  /// A piece of some storage.
  package struct Piece: Hashable, Sendable {
    fileprivate let storage: ObjectIdentifier
    fileprivate let number: UInt64
  }

  /// Reads `base` and caches its pieces in `pieces`, which several readers may share: each piece costs 1.
  /// Their storage must live as long as `pieces`, which knows it by its object.
  package init(_ base: any RangeReader, _ pieces: SharedCache<Piece, ArraySlice<UInt8>>) {
    self.base = base
    self.pieces = pieces
  }

  /// Reads `base` and caches up to `pieces` pieces.
  package convenience init(_ base: any RangeReader, pieces: Int) {
    self.init(base, SharedCache(limit: pieces))
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

  private func part(_ range: Range<UInt64>, of piece: ArraySlice<UInt8>, _ number: UInt64)
    -> ArraySlice<UInt8>
  {
    let whole = number * Self.pieceSize..<number * Self.pieceSize + UInt64(piece.count)
    return piece.part(range.clamped(to: whole), of: whole)
  }

  private func piece(_ number: UInt64) throws(CheckpointError) -> ArraySlice<UInt8> {
    let key = Piece(storage: ObjectIdentifier(base), number: number)
    let (future, isNew) = pieces.claim(key)
    guard isNew else { return try future.wait() }
    let start = number * Self.pieceSize
    let range = start..<min(start + Self.pieceSize, length)
    let result: Result<ArraySlice<UInt8>, CheckpointError>
    do throws(CheckpointError) {
      result = .success(try base.fetch([range])[0])
    } catch {
      result = .failure(error)
    }
    pieces.complete(key, result, cost: 1)
    return try result.get()
  }

  package func nextData(from offset: UInt64) throws(CheckpointError) -> UInt64 {
    try base.nextData(from: offset)
  }
}
