internal import CheckpointCodec
package import CheckpointImage
package import Storage
/// The kinds of file a checkpoint can be captured from.
package enum SourceFormat: String, CaseIterable, Sendable {
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
  /// An ELF core file of the physical memory.
  case elf
  /// A dump of makedumpfile's kind, each page compressed.
  case kdump
  /// A memory image of LiME.
  case lime

  /// Recognises a source by its first bytes; raw memory has none of its own and must be named.
  package static func recognise(_ input: InputStream) throws(CheckpointError) -> SourceFormat {
    let start = try input.peek(64)
    if let found = XenFormat(start).flatMap({ SourceFormat(rawValue: $0.rawValue) }) {
      return found
    }
    func refused(_ reason: String) -> CheckpointError {
      CheckpointError(.refused, reason, offset: 0, file: input.name)
    }
    if start.isEmpty {
      throw CheckpointError(.incomplete, "the input is empty", offset: 0, file: input.name)
    }
    if SegmentFrame.beginsImage(start) {
      throw refused("is a checkpoint image already; see ckpt-merge and ckpt-restore")
    }
    if start.starts(with: XenStream.oldXenServerSignature) {
      throw refused("is a suspend image of a XenServer before 7.0, with a legacy stream inside")
    }
    if start.starts(with: [0x7f, 0x45, 0x4c, 0x46]) { return .elf }
    if start.starts(with: LiMEHeader.magic) { return .lime }
    if KdumpFile.isKdump(start) { return .kdump }
    if start.starts(with: Array("makedumpfile".utf8)) {
      throw refused(
        "is a flattened dump: 'makedumpfile -R FILE < it' makes one that can be captured")
    }
    throw refused("is of no known kind; --format raw takes it as plain memory")
  }

  /// Which of Xen's formats it is, if it is one.
  package var xen: XenFormat? { XenFormat(rawValue: rawValue) }

  /// Opens a source of this kind.
  package func open(_ input: InputStream) throws(CheckpointError) -> any DescribedSource {
    if let xen { return try XenStreamSource(input, xen) }
    return switch self {
    case .elf: try ELFSource.open(input)
    case .lime: try LiMESource.open(input)
    case .kdump:
      throw CheckpointError(
        .unsupported, "is a kdump-compressed dump, which only ckpt-capture reads", file: input.name)
    default: try RawSource(input)
    }
  }
}
