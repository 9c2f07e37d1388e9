internal import CheckpointCodec
public import CheckpointImage
package import Formats
public import Storage

/// What can be captured: a file, memory that is stored anywhere, or a stream of a client's own.
public struct CaptureSource {
  package let source: any DescribedSource

  package init(_ source: any DescribedSource) { self.source = source }

  /// A file of `xl save` or `virsh save`, a XenServer suspend image, a libxl or libxc stream, an ELF core or a LiME
  /// image, by its first bytes; `-` is standard input. For compressed files, archives and kdump-compressed dumps see the
  /// product `VMCheckpointFormats`.
  public init(fileAt path: String, cancellation: Cancellation = Cancellation())
    throws(CheckpointError)
  {
    let input = try InputStream(path, cancellation: cancellation)
    try self.init(input)
  }

  /// Plain memory: byte n of `storage` is byte n of the guest's physical memory.
  ///
  /// - Throws: `.refused` if it does not end with a page of 4096 bytes.
  public init(memory storage: any RangeReader) throws(CheckpointError) {
    source = try StoredMemory(storage)
  }

  /// A file of one of the formats above as a stream of bytes that comes once, from anywhere.
  ///
  /// - Parameters:
  ///   - name: the name used in messages.
  ///   - cancellation: ends the capture, between two calls of `next`.
  ///   - next: gives the next bytes, as many as there are at once; none at the end.
  public init(
    streamNamed name: String, cancellation: Cancellation = Cancellation(),
    next: @escaping () throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) {
    try self.init(InputStream(ClientBytes(name, cancellation, next)))
  }

  private init(_ input: InputStream) throws(CheckpointError) {
    source = try FormatTable.recognise(input).open(input) { (input) throws(CheckpointError) in
      throw CheckpointError(
        .unsupported, "is a kdump-compressed dump", file: input.name, hint: .captureKdump)
    }
  }
}

/// Bytes that a client gives one piece after the other.
private final class ClientBytes: ByteOrigin {
  let name: String
  let cancellation: Cancellation
  let modified: (seconds: Int, nanoseconds: Int)? = nil
  let length: UInt64? = nil
  let fractionDone: Double? = nil
  let containers: [String] = []
  private let next: () throws(CheckpointError) -> [UInt8]
  private var piece: ArraySlice<UInt8> = []

  init(
    _ name: String, _ cancellation: Cancellation,
    _ next: @escaping () throws(CheckpointError) -> [UInt8]
  ) {
    self.name = name
    self.cancellation = cancellation
    self.next = next
  }

  func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    try cancellation.check()
    if piece.isEmpty { piece = try next()[...] }
    let part = piece.prefix(target.count)
    piece = piece.dropFirst(part.count)
    // SAFETY: the part is no longer than the target.
    unsafe part.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
    return part.count
  }

  func seek(to offset: UInt64) throws(CheckpointError) {
    throw CheckpointError(.refused, "comes once only", file: name)
  }
}
