internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// The expanded bytes of a compressed stream.
final class ExpandedOrigin: ByteOrigin {
  let name: String
  let modified: (seconds: Int, nanoseconds: Int)?
  let length: UInt64? = nil
  var cancellation: Cancellation { input.cancellation }
  let containers: [String]
  private let input: InputStream
  private let expander: any Expander
  private let structure: String
  /// Bytes of the head of a bzip2 file.
  private static let bzip2Head: UInt64 = 14

  /// Expands `input`.
  init(_ compression: Compression, _ input: InputStream) throws(CheckpointError) {
    name = input.name
    modified = input.modified
    containers = input.containers + [compression.rawValue]
    structure = "\(compression.rawValue) data"
    self.input = input
    expander = try compression.expander(of: input, structure)
  }

  var fractionDone: Double? { input.fractionDone }

  func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    let count = unsafe try expander.read(into: target)
    guard count == 0 else { return count }
    // Otherwise a second part with a damaged start would look like the end.
    let rest = try expander.drain()
    // libarchive does not touch an input that is shorter than the head of a bzip2 file.
    guard rest == 0 || rest < input.position || rest >= Self.bzip2Head else {
      throw CheckpointError(
        .incomplete, "the input ends too early: within its head", structure: structure,
        offset: 0, file: name)
    }
    guard rest == 0 else {
      throw CheckpointError(
        .damaged, "\(rest) bytes after the end", structure: structure,
        offset: input.position - rest, file: name)
    }
    return 0
  }

  func seek(to offset: UInt64) throws(CheckpointError) {
    throw CheckpointError(.refused, "cannot seek in compressed bytes", file: name)
  }
}
