package import CheckpointImage
package import Storage

/// What is known of a kind of file by its first bytes: a row for each, also for those that cannot be captured.
///
/// Plain memory has no first bytes of its own and must be named.
package struct FormatTable {
  /// What becomes of a file of this kind.
  package enum Use {
    /// It is captured.
    case captured(FileFormat)
    /// It is not, for this reason.
    case refused(String, Hint? = nil)
  }

  /// A kind of file.
  package struct Row {
    /// How its first bytes look.
    package var start: [UInt8]
    /// What becomes of it.
    package var use: Use
  }

  /// All kinds of file that are known; the first row that fits counts.
  package static let rows: [Row] = [
    Row(start: XenStream.xlMagic, use: .captured(.xen(.xl))),
    Row(start: XenStream.libxlIdent, use: .captured(.xen(.libxl))),
    Row(start: XenStream.libxcMarker, use: .captured(.xen(.libxc))),
    Row(start: XenStream.libvirtMagic, use: .captured(.xen(.libvirt))),
    Row(start: XenStream.xenServerSignature, use: .captured(.xen(.xenServer))),
    Row(
      start: XenStream.oldXenServerSignature,
      use: .refused(
        "is a suspend image of a XenServer before 7.0, with a legacy stream inside")),
    Row(start: [0x7f, 0x45, 0x4c, 0x46], use: .captured(.dump(.elf))),
    Row(start: LiMEHeader.magic, use: .captured(.dump(.lime))),
    Row(start: KdumpHeader.signature, use: .captured(.dump(.kdump))),
    Row(
      start: KdumpHeader.flattened,
      use: .refused("is a flattened dump", .convert(command: "makedumpfile -R FILE < it"))),
    Row(
      start: SegmentFrame.startOfImage,
      use: .refused("is a checkpoint image already; see ckpt-merge and ckpt-restore")),
  ]

  /// Which of Xen's formats begins so; nil if none does.
  package static func xenFormat(_ start: [UInt8]) -> XenFormat? {
    guard
      case .captured(.xen(let format)) = rows.first(where: { start.starts(with: $0.start) })?.use
    else { return nil }
    return format
  }

  /// The format of a source, by its first bytes.
  ///
  /// - Throws: `.refused` if it is none that can be captured, `.incomplete` if there are no bytes.
  package static func recognise(_ input: InputStream) throws(CheckpointError) -> FileFormat {
    let start = try input.peek(64)
    guard !start.isEmpty else {
      throw CheckpointError(.incomplete, "the input is empty", offset: 0, file: input.name)
    }
    switch rows.first(where: { start.starts(with: $0.start) })?.use {
    case .captured(let format): return format
    case .refused(let reason, let hint):
      throw CheckpointError(.refused, reason, offset: 0, file: input.name, hint: hint)
    case nil:
      throw CheckpointError(
        .refused, "is of an unknown kind", offset: 0, file: input.name, hint: .takeAsRawMemory)
    }
  }
}
