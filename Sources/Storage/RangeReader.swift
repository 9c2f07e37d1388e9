public import CheckpointImage

/// Stored bytes that any thread can read at ranges: a file, memory, an object in a store.
///
/// Everything that reads images goes through this protocol. A conformer implements the `fetch` of several ranges;
/// callers use `read`, which checks bounds and joins adjacent ranges.
public protocol RangeReader: AnyObject, Sendable {
  /// The name used in messages.
  var name: String { get }
  /// The number of bytes, which is constant.
  var length: UInt64 { get }
  /// Distinguishes these bytes from all others, whatever their names.
  var identity: StorageIdentity { get }

  /// How many bytes were read so far, those that were read twice counted twice; 0 if nobody counts them.
  var bytesRead: UInt64 { get }

  /// Reads several ranges, all of which lie below `length`. Each result has as many bytes as its range, and may
  /// be a slice of a larger array that is kept.
  func fetch(_ ranges: [Range<UInt64>]) throws(CheckpointError) -> [ArraySlice<UInt8>]

  /// Replaces `bytes` by those of one range, which lies below `length`, in the same memory if the conformer can do that.
  /// After an error, `bytes` is unspecified.
  func fetch(_ range: Range<UInt64>, into bytes: inout [UInt8]) throws(CheckpointError)

  /// The first offset at or after `offset` that may hold data; the bytes skipped are zero.
  func nextData(from offset: UInt64) throws(CheckpointError) -> UInt64
}

extension RangeReader {
  /// Returns 0: nobody counts them.
  public var bytesRead: UInt64 { 0 }

  /// Returns `offset`: without knowledge of holes, everything counts as data.
  public func nextData(from offset: UInt64) throws(CheckpointError) -> UInt64 { offset }

  /// Fetches the range as any other, into new memory.
  public func fetch(_ range: Range<UInt64>, into bytes: inout [UInt8]) throws(CheckpointError) {
    bytes = Array(try fetch([range])[0])
  }

  /// Reads several ranges. Ranges that follow each other without a gap are fetched as one.
  ///
  /// - Throws: `.incomplete` if a range reaches beyond the end; nothing is fetched then.
  public func read(_ ranges: [Range<UInt64>]) throws(CheckpointError) -> [ArraySlice<UInt8>] {
    for range in ranges where range.upperBound > length {
      throw CheckpointError(
        .incomplete, "the file ends at \(length), expected \(range.count) bytes here",
        offset: range.lowerBound, file: name)
    }
    var joined: [Range<UInt64>] = []
    for range in ranges { joined.join(range) }
    let fetched = try fetch(joined)
    guard joined.count < ranges.count else { return fetched }
    var place = 0
    return ranges.map { range in
      while joined[place].upperBound < range.upperBound { place += 1 }
      return fetched[place].part(range, of: joined[place])
    }
  }

  /// The `count` bytes at `offset`, possibly as a slice of a larger array that is kept.
  ///
  /// - Throws: `.incomplete` if there are fewer, before any memory is allocated.
  public func slice(at offset: UInt64, count: Int) throws(CheckpointError) -> ArraySlice<UInt8> {
    guard count >= 0, UInt64(count) <= length, offset <= length - UInt64(count) else {
      throw CheckpointError(
        .incomplete, "the file ends at \(length), expected \(count) bytes here", offset: offset,
        file: name)
    }
    return try fetch([offset..<offset + UInt64(count)])[0]
  }

  /// The `count` bytes at `offset`, as an array of their own.
  ///
  /// - Throws: `.incomplete` if there are fewer, before any memory is allocated.
  public func bytes(at offset: UInt64, count: Int) throws(CheckpointError) -> [UInt8] {
    Array(try slice(at: offset, count: count))
  }
}

extension ArraySlice<UInt8> {
  /// The bytes of `range`, if `self` holds the bytes of `whole`, which contains it.
  func part(_ range: Range<UInt64>, of whole: Range<UInt64>) -> ArraySlice<UInt8> {
    let start = startIndex + Int(range.lowerBound - whole.lowerBound)
    return self[start..<start + range.count]
  }
}
