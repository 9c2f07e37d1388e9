package import CheckpointCodec
package import CheckpointImage
package import Storage

/// The bytes of a dump: of a file in any order, of a pipe only forward.
package protocol DumpBytes: AnyObject {
  /// What ended the bytes before all that was asked for was there; nil if nothing did so far.
  var cut: CheckpointError? { get }
  /// Reads the bytes at `offset` into pages of `buffer`. Returns how many whole pages there were.
  func readPages(_ pages: Range<Int>, of buffer: PageBuffer, at offset: UInt64)
    throws(CheckpointError) -> Int
  /// The `count` bytes at `offset`; nil if they are not all there.
  func readBytes(at offset: UInt64, count: Int) throws(CheckpointError) -> [UInt8]?
}

extension LocalFile: DumpBytes {
  /// Nil: its length is known, and nobody asks for more.
  package var cut: CheckpointError? { nil }

  package func readPages(_ pages: Range<Int>, of buffer: PageBuffer, at offset: UInt64)
    throws(CheckpointError) -> Int
  {
    try read(pages: pages, of: buffer, at: offset)
    return pages.count
  }

  package func readBytes(at offset: UInt64, count: Int) throws(CheckpointError) -> [UInt8]? {
    try bytes(at: offset, count: count)
  }
}

/// The bytes of a stream; those that are not asked for are skipped.
final class ForwardBytes: DumpBytes {
  private(set) var cut: CheckpointError?
  private let input: InputStream
  private let structure: String

  init(_ input: InputStream, _ structure: String) {
    self.input = input
    self.structure = structure
  }

  func readPages(_ pages: Range<Int>, of buffer: PageBuffer, at offset: UInt64)
    throws(CheckpointError) -> Int
  {
    guard try skip(to: offset) else { return 0 }
    var found = 0
    do throws(CheckpointError) {
      found = try input.readPages(pages, of: buffer).pages
      // What ended it, if more is known of that.
      if found < pages.count, try input.isAtEnd() { cut = ended }
    } catch {
      try end(error)
    }
    return found
  }

  func readBytes(at offset: UInt64, count: Int) throws(CheckpointError) -> [UInt8]? {
    guard try skip(to: offset) else { return nil }
    do throws(CheckpointError) {
      return try input.read(count, structure)
    } catch {
      try end(error)
      return nil
    }
  }

  /// Whether there are bytes from `offset` on.
  private func skip(to offset: UInt64) throws(CheckpointError) -> Bool {
    guard cut == nil else { return false }
    guard offset >= input.position else {
      throw CheckpointError(
        .refused,
        "its parts do not come in the order of their addresses: it can be read from a file only",
        structure: structure, offset: offset, file: input.name)
    }
    do throws(CheckpointError) {
      while input.position < offset {
        _ = try input.read(Int(min(1 << 20, offset - input.position)), structure)
      }
      return true
    } catch {
      try end(error)
      return false
    }
  }

  private var ended: CheckpointError {
    CheckpointError(
      .incomplete, "the input ends here", structure: structure, offset: input.position,
      file: input.name)
  }

  /// Takes note of the end; other errors go on.
  private func end(_ error: CheckpointError) throws(CheckpointError) {
    guard error.kind == .incomplete else { throw error }
    cut = error
  }
}
