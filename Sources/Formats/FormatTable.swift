package import CheckpointImage
package import Storage

/// The known file formats by their first bytes, including those that cannot be captured.
///
/// Plain memory has no magic number and must be named by the user.
package struct FormatTable {
  /// What happens to a file of this format.
  package enum Use {
    /// It can be captured.
    case captured(FileFormat)
    /// It cannot, for this reason.
    case refused(String, Hint? = nil)
  }

  /// A format and its magic number.
  package struct Row {
    /// The magic number.
    package var start: [UInt8]
    /// Where it lies.
    package var offset = 0
    /// What happens to such a file.
    package var use: Use

    /// Whether a file that begins with these bytes is of this format.
    func matches(_ bytes: [UInt8]) -> Bool { bytes.dropFirst(offset).starts(with: start) }
  }

  /// The number of first bytes by which formats are recognised.
  package static let startLength = 4096

  /// All known formats; the first row that matches counts.
  package static let rows: [Row] = own + ForeignFormats.rows

  /// Formats that are captured, and such of the same makers.
  private static let own: [Row] = [
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
      use: .refused("is a checkpoint image already", .useImage)),
  ]

  /// The Xen format that begins with these bytes; nil if none does.
  package static func xenFormat(_ start: [UInt8]) -> XenFormat? {
    guard
      case .captured(.xen(let format)) = rows.first(where: { $0.matches(start) })?.use
    else { return nil }
    return format
  }

  /// What a file is whose first bytes are those of a known format, such as `is a VHD`; nil if they are of none. Plain
  /// memory may begin like any of them.
  package static func kind(_ start: [UInt8]) -> String? {
    switch rows.first(where: { $0.matches(start) })?.use {
    case .captured(let format): "begins like a file of the format \(format.name)"
    case .refused(let reason, _): reason
    case nil: nil
    }
  }

  /// Recognises the format of a source by its first bytes.
  ///
  /// - Throws: `.refused` if it is unknown or cannot be captured, `.incomplete` if the input is empty.
  package static func recognise(_ input: InputStream) throws(CheckpointError) -> FileFormat {
    let start = try input.peek(startLength)
    guard !start.isEmpty else {
      throw CheckpointError(.incomplete, "the input is empty", offset: 0, file: input.name)
    }
    switch rows.first(where: { $0.matches(start) })?.use {
    case .captured(let format): return format
    case .refused(let reason, let hint):
      throw CheckpointError(.refused, reason, offset: 0, file: input.name, hint: hint)
    case nil:
      throw CheckpointError(
        .refused, "is not in a known format", offset: 0, file: input.name, hint: .takeAsRawMemory)
    }
  }
}
