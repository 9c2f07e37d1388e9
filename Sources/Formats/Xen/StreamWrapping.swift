internal import CheckpointImage

/// What must be written around the contents of an image for a format: an image of a bare libxc stream has no
/// libxl header, one of a libxl stream no domain configuration.
struct StreamWrapping {
  private(set) var prolog: [UInt8] = []
  private(set) var epilog: [UInt8] = []
  /// Whether the image has an xl header whose configuration is replaced.
  private(set) var replacesConfiguration = false

  /// Determines what `format` needs around the machine records of an image.
  ///
  /// - Parameter configuration: for xl: the domain's configuration, in place of the image's.
  init(_ format: XenFormat, around records: [RecordKey], configuration: GivenConfiguration?)
    throws(CheckpointError)
  {
    func has(_ header: XenStream.Header) -> Bool {
      records.contains { $0.namespace == .streamHeader && $0.type == header.rawValue }
    }
    guard has(.image) else {
      throw CheckpointError(
        .refused, "was not captured from a Xen stream", hint: .exportMemory)
    }
    if format == .xl, let configuration {
      replacesConfiguration = true
      prolog = XLHeader.encoded(configuration.bytes)
    } else if !has(format.header), format != .libxl {
      throw CheckpointError(
        .refused,
        format == .xl
          ? "has no domain configuration that xl reads" : "was not captured from a \(format.name)",
        hint: format == .xl ? .giveConfiguration : nil)
    }
    guard format.holds(.libxl, 0), !has(.libxl) else { return }
    let sections = records.filter {
      $0.namespace == .xenServer && $0.type != XenStream.XenServerSection.metadata.rawValue
    }
    guard sections.isEmpty else {
      throw CheckpointError(
        .refused,
        "has device-model state in XenServer's form only", hint: .exportXenServer)
    }
    prolog += XenStream.libxlHeader + Self.frame(.libxcContext)
    epilog = Self.frame(.end)
  }

  private static func frame(_ type: XenStream.LibxlType) -> [UInt8] {
    var writer = WireWriter()
    writer.write(type.rawValue)
    writer.write(UInt32(0))
    return writer.bytes
  }
}
