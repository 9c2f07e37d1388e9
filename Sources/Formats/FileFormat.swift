package import CheckpointImage
package import Storage

/// The kinds of file that a checkpoint can be captured from or exported to.
package enum FileFormat: Hashable, Sendable {
  /// A file that carries the state of a Xen guest.
  case xen(XenFormat)
  /// A crash dump: pages by physical address, those without known contents left out.
  case dump(DumpFormat)
  /// The physical memory, byte for byte.
  case raw

  /// All of them, in the order in which people look for them.
  package static let all: [FileFormat] =
    [.xl, .libxl, .libxc, .libvirt, .xenServer].map { .xen($0) } + [.raw]
    + DumpFormat.allCases.map { .dump($0) }

  /// The short name, such as `xl`.
  package var name: String {
    switch self {
    case .xen(let format): format.rawValue
    case .dump(let format): format.rawValue
    case .raw: "raw"
    }
  }

  /// The format of a short name.
  package init?(name: String) {
    guard let format = Self.all.first(where: { $0.name == name }) else { return nil }
    self = format
  }

  /// Whether pages whose contents are not known are left out of such a file; in the others they are zeros.
  package var leavesOut: Bool {
    if case .dump = self { true } else { false }
  }

  /// Opens a source of this kind.
  ///
  /// - Parameter kdump: opens a kdump-compressed file, for which a library of its own is needed.
  package func open(
    _ input: InputStream,
    kdump: (InputStream) throws(CheckpointError) -> any DescribedSource
  ) throws(CheckpointError) -> any DescribedSource {
    switch self {
    case .xen(let format): try XenStreamSource(input, format)
    case .dump(.elf): try ELFSource.open(input)
    case .dump(.lime): try LiMESource.open(input)
    case .dump(.kdump): try kdump(input)
    case .raw: try RawSource(input)
    }
  }
}
