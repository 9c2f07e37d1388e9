internal import CheckpointImage

/// The kinds of file that carry the state of a Xen guest, one inside the other: a libxc stream stands alone,
/// in a libxl stream, or in a XenServer suspend image; a libxl stream alone or in a file of xl or libvirt.
package enum XenFormat: String, CaseIterable, Sendable {
  /// The libxc stream alone.
  case libxc
  /// The libxl stream with the libxc stream in it.
  case libxl
  /// The file of `xl save`.
  case xl
  /// The file of `virsh save`, by libvirt's libxl driver.
  case libvirt
  /// The suspend image of XenServer and XCP-ng.
  case xenServer = "xenserver"

  /// What the file is called.
  package var name: String {
    switch self {
    case .libxc: "libxc stream"
    case .libxl: "libxl stream"
    case .xl: "xl save file"
    case .libvirt: "libvirt save file"
    case .xenServer: "XenServer suspend image"
    }
  }

  /// The formats it consists of.
  private var parts: Set<RecordNamespace> {
    switch self {
    case .libxc: [.libxc]
    case .libxl: [.libxc, .libxl]
    case .xl: [.libxc, .libxl, .xl]
    case .libvirt: [.libxc, .libxl, .libvirt]
    case .xenServer: [.libxc, .xenServer]
    }
  }

  /// The header it begins with.
  var header: XenStream.Header {
    switch self {
    case .libxc: .image
    case .libxl: .libxl
    case .xl: .xl
    case .libvirt: .libvirt
    case .xenServer: .xenServer
    }
  }

  /// Whether machine records and layout items of this name belong to it (Spec, "Layout").
  func holds(_ namespace: RecordNamespace, _ type: UInt32) -> Bool {
    guard namespace == .streamHeader else { return parts.contains(namespace) }
    return XenStream.Header(rawValue: type).map { parts.contains($0.part) } ?? false
  }
}
