internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// An output that is written from start to end. Zeros become holes where the sink can have them.
final class SparseOutput {
  /// Bytes so far, including holes.
  private(set) var position: UInt64 = 0

  private let sink: any ByteSink
  /// The sink, if it can have holes.
  private let seekable: (any SeekableSink)?
  private let flatZeros = [UInt8](repeating: 0, count: 1 << 20)

  /// Writes to `sink`, which must be empty.
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

  /// Appends zeros up to `offset`.
  func zeros(to offset: UInt64) throws(CheckpointError) {
    if seekable == nil {
      while sink.position < offset {
        let count = min(UInt64(flatZeros.count), offset - sink.position)
        try sink.write(count == flatZeros.count ? flatZeros : Array(flatZeros.prefix(Int(count))))
      }
    }
    position = offset
  }

  /// Extends the file over a hole at its end.
  func finish() throws(CheckpointError) {
    try seekable?.setLength(position)
  }
}
