internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// An output written from its beginning to its end; where it can have holes, zeros are left out.
final class SparseOutput {
  /// Bytes so far, left out ones included.
  private(set) var position: UInt64 = 0

  private let sink: any ByteSink
  /// Where zeros can be left out.
  private let seekable: (any SeekableSink)?
  private let flatZeros = [UInt8](repeating: 0, count: 1 << 20)

  /// Writes to `sink`, to which nothing was written yet.
  init(_ sink: any ByteSink) {
    self.sink = sink
    seekable = sink.seekable
  }

  /// Appends bytes.
  func write(_ bytes: RawSpan) throws(CheckpointError) {
    if let seekable {
      try seekable.write(bytes, at: position)
    } else {
      try sink.write(bytes)
    }
    position += UInt64(bytes.byteCount)
  }

  /// Appends bytes.
  func write(_ bytes: [UInt8]) throws(CheckpointError) { try write(bytes.rawSpan) }

  /// Appends zeros up to an offset.
  func zeros(to offset: UInt64) throws(CheckpointError) {
    if seekable == nil {
      while sink.position < offset {
        let count = min(UInt64(flatZeros.count), offset - sink.position)
        try sink.write(count == flatZeros.count ? flatZeros : Array(flatZeros.prefix(Int(count))))
      }
    }
    position = offset
  }

  /// Makes the file as long as what was appended.
  func finish() throws(CheckpointError) {
    try seekable?.setLength(position)
  }
}
