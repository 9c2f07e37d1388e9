package import CheckpointImage

/// Bytes that are in memory already.
package final class BytesInMemory: RangeReader {
  package let name: String
  package var length: UInt64 { UInt64(bytes.count) }
  private let bytes: [UInt8]

  /// No two of them are the same.
  package var identity: StorageIdentity {
    StorageIdentity("memory \(UInt(bitPattern: ObjectIdentifier(self).hashValue))")
  }

  /// The bytes, called `name` in messages.
  package init(_ bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  package func fetch(_ ranges: [Range<UInt64>]) throws(CheckpointError) -> [ArraySlice<UInt8>] {
    ranges.map { bytes[Int($0.lowerBound)..<Int($0.upperBound)] }
  }
}
