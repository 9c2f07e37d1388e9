public import CheckpointImage

/// Bytes held in memory, as storage.
public final class BytesInMemory: RangeReader {
  /// The name used in messages.
  public let name: String
  /// The number of bytes.
  public var length: UInt64 { UInt64(bytes.count) }
  private let bytes: [UInt8]

  /// Unique to this object.
  public var identity: StorageIdentity {
    StorageIdentity("memory \(UInt(bitPattern: ObjectIdentifier(self).hashValue))")
  }

  /// Storage with these bytes; `name` is used in messages.
  public init(_ bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  /// The bytes of several ranges.
  public func fetch(_ ranges: [Range<UInt64>]) throws(CheckpointError) -> [ArraySlice<UInt8>] {
    ranges.map { bytes[Int($0.lowerBound)..<Int($0.upperBound)] }
  }
}
