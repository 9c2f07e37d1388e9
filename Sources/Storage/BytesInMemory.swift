public import CheckpointImage

/// Bytes that are in memory already.
public final class BytesInMemory: RangeReader {
  /// The name used in messages.
  public let name: String
  /// The number of bytes.
  public var length: UInt64 { UInt64(bytes.count) }
  private let bytes: [UInt8]

  /// No two of them are the same.
  public var identity: StorageIdentity {
    StorageIdentity("memory \(UInt(bitPattern: ObjectIdentifier(self).hashValue))")
  }

  /// The bytes, called `name` in messages.
  public init(_ bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  /// The bytes of several ranges.
  public func fetch(_ ranges: [Range<UInt64>]) throws(CheckpointError) -> [ArraySlice<UInt8>] {
    ranges.map { bytes[Int($0.lowerBound)..<Int($0.upperBound)] }
  }
}
