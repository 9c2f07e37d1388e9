package import CheckpointCodec
package import CheckpointImage
internal import Storage

/// The bytes of a dump: of a file in any order, of a pipe only forward.
package protocol DumpBytes: AnyObject {
  /// Reads the bytes at `offset` into pages of `buffer`.
  func read(pages: Range<Int>, of buffer: PageBuffer, at offset: UInt64) throws(CheckpointError)
  /// The `count` bytes at `offset`.
  func bytes(at offset: UInt64, count: Int) throws(CheckpointError) -> [UInt8]
}

extension LocalFile: DumpBytes {}

/// The bytes of a stream; those that are not asked for are skipped.
final class ForwardBytes: DumpBytes {
  private let input: InputStream
  private let structure: String

  init(_ input: InputStream, _ structure: String) {
    self.input = input
    self.structure = structure
  }

  func read(pages: Range<Int>, of buffer: PageBuffer, at offset: UInt64) throws(CheckpointError) {
    try skip(to: offset)
    try input.read(pages: pages, of: buffer, structure)
  }

  func bytes(at offset: UInt64, count: Int) throws(CheckpointError) -> [UInt8] {
    try skip(to: offset)
    return try input.read(count, structure)
  }

  private func skip(to offset: UInt64) throws(CheckpointError) {
    guard offset >= input.position else {
      throw CheckpointError(
        .refused,
        "its parts do not come in the order of their addresses: it can be read from a file only",
        structure: structure, offset: offset, file: input.name)
    }
    while input.position < offset {
      _ = try input.read(Int(min(1 << 20, offset - input.position)), structure)
    }
  }
}
