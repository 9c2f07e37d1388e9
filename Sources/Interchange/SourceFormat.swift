public import CheckpointCodec
public import CheckpointImage

/// The kinds of file a checkpoint can be captured from.
public enum SourceFormat: String, CaseIterable, Sendable {
  /// An `xl save` file.
  case xl
  /// Xen's libxl stream.
  case libxl
  /// Xen's libxc stream.
  case libxc
  /// A save file of libvirt's libxl driver.
  case libvirt
  /// A suspend image of XenServer or XCP-ng.
  case xenserver
  /// The physical memory, byte for byte.
  case raw

  /// Recognises a source by its first bytes; raw memory has none of its own and must be named.
  public static func recognise(_ input: InputStream) throws(CheckpointError) -> SourceFormat {
    let start = try input.peek(64)
    switch XenFormat(start) {
    case .xl: return .xl
    case .libxl: return .libxl
    case .libxc: return .libxc
    case .libvirt: return .libvirt
    case .xenServer: return .xenserver
    case nil: break
    }
    func refused(_ reason: String) -> CheckpointError {
      CheckpointError(.refused, reason, offset: 0, file: input.name)
    }
    if start.isEmpty {
      throw CheckpointError(.incomplete, "the input is empty", offset: 0, file: input.name)
    }
    if ImageFile.isImage(start) {
      throw refused("is a checkpoint image already; see ckpt-merge and ckpt-restore")
    }
    if start.starts(with: XenStream.oldXenServerSignature) {
      throw refused("is a suspend image of a XenServer before 7.0, with a legacy stream inside")
    }
    if start.starts(with: [0x7f, 0x45, 0x4c, 0x46]) {
      throw refused("is an ELF file: core dumps cannot be captured yet")
    }
    throw refused("is of no known kind; --format raw takes it as plain memory")
  }

  /// Opens a source of this kind.
  public func open(_ input: InputStream) throws(CheckpointError) -> any DescribedSource {
    switch self {
    case .xl: try XenStreamSource(input, .xl)
    case .libxl: try XenStreamSource(input, .libxl)
    case .libxc: try XenStreamSource(input, .libxc)
    case .libvirt: try XenStreamSource(input, .libvirt)
    case .xenserver: try XenStreamSource(input, .xenServer)
    case .raw: RawSource(input)
    }
  }
}
