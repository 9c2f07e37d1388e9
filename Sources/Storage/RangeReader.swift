public import CheckpointImage

/// Where bytes lie that are read at ranges, by any thread: a file, memory, an object in a store.
///
/// All that reads images goes through this. A conformer gives what is asked for in `fetch`; callers use `read`,
/// which checks bounds and puts adjacent ranges together.
public protocol RangeReader: AnyObject, Sendable {
  /// The name used in messages.
  var name: String { get }
  /// The number of bytes; it does not change.
  var length: UInt64 { get }
  /// What tells these bytes from all others, whatever their names.
  var identity: StorageIdentity { get }

  /// Gives the bytes of several ranges, all of which lie below `length`; each result has as many bytes as its range,
  /// and may be part of an array that is kept.
  func fetch(_ ranges: [Range<UInt64>]) throws(CheckpointError) -> [ArraySlice<UInt8>]

  /// The next offset, from `offset` on, of a byte that was written; what lies between is zero.
  func nextData(from offset: UInt64) throws(CheckpointError) -> UInt64
}

extension RangeReader {
  /// Every byte was written.
  public func nextData(from offset: UInt64) throws(CheckpointError) -> UInt64 { offset }

  /// The bytes of several ranges. Those that follow each other without a gap are fetched as one.
  ///
  /// - Throws: `.incomplete` if a range reaches beyond the end; nothing is fetched then.
  public func read(_ ranges: [Range<UInt64>]) throws(CheckpointError) -> [ArraySlice<UInt8>] {
    for range in ranges where range.upperBound > length {
      throw CheckpointError(
        .incomplete, "the file ends at \(length), expected \(range.count) bytes here",
        offset: range.lowerBound, file: name)
    }
    var joined: [Range<UInt64>] = []
    for range in ranges {
      if let last = joined.last, last.upperBound == range.lowerBound {
        joined[joined.count - 1] = last.lowerBound..<range.upperBound
      } else {
        joined.append(range)
      }
    }
    let fetched = try fetch(joined)
    guard joined.count < ranges.count else { return fetched }
    var place = 0
    return ranges.map { range in
      while joined[place].upperBound < range.upperBound { place += 1 }
      return fetched[place].part(range, of: joined[place])
    }
  }

  /// The `count` bytes at `offset`, which may be part of an array that is kept.
  ///
  /// - Throws: `.incomplete` if there are fewer; memory is taken only afterwards.
  public func slice(at offset: UInt64, count: Int) throws(CheckpointError) -> ArraySlice<UInt8> {
    guard count >= 0, UInt64(count) <= length, offset <= length - UInt64(count) else {
      throw CheckpointError(
        .incomplete, "the file ends at \(length), expected \(count) bytes here", offset: offset,
        file: name)
    }
    return try fetch([offset..<offset + UInt64(count)])[0]
  }

  /// The `count` bytes at `offset`.
  ///
  /// - Throws: `.incomplete` if there are fewer; memory is taken only afterwards.
  public func bytes(at offset: UInt64, count: Int) throws(CheckpointError) -> [UInt8] {
    Array(try slice(at: offset, count: count))
  }
}

extension ArraySlice<UInt8> {
  /// The bytes of a range, where these are those of `whole`, in which it lies.
  func part(_ range: Range<UInt64>, of whole: Range<UInt64>) -> ArraySlice<UInt8> {
    let start = startIndex + Int(range.lowerBound - whole.lowerBound)
    return self[start..<start + range.count]
  }
}
