internal import CheckpointImage

/// The formats with the state of a Xen guest, which contain each other: a libxc stream stands alone, in a libxl
/// stream or in a XenServer suspend image; a libxl stream alone or in a file of xl or libvirt.
package enum XenFormat: String, CaseIterable, Sendable {
  /// A libxc stream alone.
  case libxc
  /// A libxl stream, with a libxc stream in it.
  case libxl
  /// A file of `xl save`.
  case xl
  /// A file of `virsh save`, by libvirt's libxl driver.
  case libvirt
  /// A suspend image of XenServer and XCP-ng.
  case xenServer = "xenserver"

  /// The name in messages and in the provenance.
  package var name: String {
    switch self {
    case .libxc: "libxc stream"
    case .libxl: "libxl stream"
    case .xl: "xl save file"
    case .libvirt: "libvirt save file"
    case .xenServer: "XenServer suspend image"
    }
  }

  /// The namespaces of the records that it consists of.
  private var parts: Set<RecordNamespace> {
    switch self {
    case .libxc: [.libxc]
    case .libxl: [.libxc, .libxl]
    case .xl: [.libxc, .libxl, .xl]
    case .libvirt: [.libxc, .libxl, .libvirt]
    case .xenServer: [.libxc, .xenServer]
    }
  }

  /// The header at its beginning.
  var header: XenStream.Header {
    switch self {
    case .libxc: .image
    case .libxl: .libxl
    case .xl: .xl
    case .libvirt: .libvirt
    case .xenServer: .xenServer
    }
  }

  /// Whether machine records and layout items of this type belong to it (Spec, "Layout").
  func holds(_ namespace: RecordNamespace, _ type: UInt32) -> Bool {
    guard namespace == .streamHeader else { return parts.contains(namespace) }
    return XenStream.Header(rawValue: type).map { parts.contains($0.part) } ?? false
  }
}
