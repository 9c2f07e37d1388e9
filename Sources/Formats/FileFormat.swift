package import CheckpointImage
package import Storage

/// The file formats that checkpoints are captured from and exported to.
package enum FileFormat: Hashable, Sendable {
  /// A file with the state of a Xen guest.
  case xen(XenFormat)
  /// A crash dump: pages by physical address, without those whose contents are unknown.
  case dump(DumpFormat)
  /// Physical memory, byte for byte.
  case raw

  /// All formats, in the order in which help texts list them.
  package static let all: [FileFormat] =
    [.xl, .libxl, .libxc, .libvirt, .xenServer].map { .xen($0) } + [.raw]
    + DumpFormat.allCases.map { .dump($0) }

  /// The short name, such as `xl`, used on the command line.
  package var name: String {
    switch self {
    case .xen(let format): format.rawValue
    case .dump(let format): format.rawValue
    case .raw: "raw"
    }
  }

  /// The format with this short name; nil if there is none.
  package init?(name: String) {
    guard let format = Self.all.first(where: { $0.name == name }) else { return nil }
    self = format
  }

  /// Whether pages with unknown contents are left out of such a file; other formats have zeros there.
  package var leavesOut: Bool {
    if case .dump = self { true } else { false }
  }

  /// Opens `input` as a source of this format.
  ///
  /// - Parameters:
  ///   - keepingUncertain: of a stream that breaks off while memory is sent, what came is given: later copies of its
  ///     pages may be missing.
  ///   - kdump: opens a kdump-compressed file, for which this library has no decoder.
  package func open(
    _ input: InputStream, keepingUncertain: Bool = false,
    kdump: (InputStream) throws(CheckpointError) -> any DescribedSource
  ) throws(CheckpointError) -> any DescribedSource {
    switch self {
    case .xen(let format):
      try XenStreamSource(input, format, keepingUncertain: keepingUncertain)
    case .dump(.elf): try ELFSource.open(input)
    case .dump(.lime): try LiMESource.open(input)
    case .dump(.kdump): try kdump(input)
    case .raw: try RawSource(input)
    }
  }
}
