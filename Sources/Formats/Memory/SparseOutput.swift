internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// An output written from its beginning to its end; where it can have holes, zeros are left out.
final class SparseOutput {
  /// Bytes so far, left out ones included.
  private(set) var position: UInt64 = 0

  private let file: OutputFile
  private let flatZeros = [UInt8](repeating: 0, count: 1 << 20)

  /// Writes to `file`, to which nothing was written yet.
  init(_ file: OutputFile) { self.file = file }

  /// Appends bytes.
  func write(_ bytes: RawSpan) throws(CheckpointError) {
    if file.isSeekable {
      try file.write(bytes, at: position)
    } else {
      try file.write(bytes)
    }
    position += UInt64(bytes.byteCount)
  }

  /// Appends bytes.
  func write(_ bytes: [UInt8]) throws(CheckpointError) { unsafe try write(bytes.span.bytes) }

  /// Appends zeros up to an offset.
  func zeros(to offset: UInt64) throws(CheckpointError) {
    if !file.isSeekable {
      while file.position < offset {
        try Interruption.check()
        let count = min(UInt64(flatZeros.count), offset - file.position)
        try file.write(count == flatZeros.count ? flatZeros : Array(flatZeros.prefix(Int(count))))
      }
    }
    position = offset
  }

  /// Makes the file as long as what was appended.
  func finish() throws(CheckpointError) {
    if file.isSeekable { try file.setLength(position) }
  }
}
