public import CheckpointCodec
public import CheckpointImage

/// The kinds of file a checkpoint can be captured from.
public enum SourceFormat: String, CaseIterable, Sendable {
  /// An `xl save` file.
  case xl
  /// The physical memory, byte for byte.
  case raw

  /// Recognises a source by its first bytes; raw memory has none of its own and must be named.
  public static func recognise(_ input: InputStream) throws(CheckpointError) -> SourceFormat {
    let start = try input.peek(64)
    if XenStream.isXL(start) { return .xl }
    func refused(_ reason: String) -> CheckpointError {
      CheckpointError(.refused, reason, offset: 0, file: input.name)
    }
    if start.isEmpty {
      throw CheckpointError(.incomplete, "the input is empty", offset: 0, file: input.name)
    }
    if ImageFile.isImage(start) {
      throw refused("is a checkpoint image already; see ckpt-merge and ckpt-restore")
    }
    if XenStream.isLibxl(start) || XenStream.isLibxc(start) {
      throw refused("is a bare libxl or libxc stream: only whole xl save files can be captured yet")
    }
    throw refused("is of no known kind; --format raw takes it as plain memory")
  }

  /// Opens a source of this kind.
  public func open(_ input: InputStream) throws(CheckpointError) -> any DescribedSource {
    switch self {
    case .xl: try XenStreamSource(input)
    case .raw: RawSource(input)
    }
  }
}
