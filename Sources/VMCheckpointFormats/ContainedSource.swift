internal import Archives
public import CheckpointImage
internal import Formats
internal import KdumpLibrary
public import Storage
public import VMCheckpoint

extension CaptureSource {
  /// A source that may be compressed, a member of an archive (`ARCHIVE:MEMBER`, or the only one that fits), or a
  /// kdump-compressed dump, besides what `init(fileAt:)` takes; `-` is standard input.
  ///
  /// - Parameter isRawMemory: take it as plain memory, byte for byte, whatever its first bytes look like.
  public init(
    containedAt path: String, isRawMemory: Bool = false,
    cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) {
    let found = try SourceInput.open(
      path, as: isRawMemory ? .raw : nil, cancellation: cancellation)
    self.init(try found.format.open(found.input, kdump: KdumpSource.open))
  }
}
