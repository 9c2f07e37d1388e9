#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats

/// The records around a domain's memory and their order, as `xl save` writes them: what makes an image of a
/// live domain restorable.
struct StreamForm {
  private static let libxcVersion: UInt32 = 3
  /// PFNs in a record of memory, as Xen's writer has them.
  private static let pagesPerRecord: UInt32 = 1024

  private(set) var events: [SourceEvent] = []

  /// The events of a moment.
  ///
  /// - Parameters:
  ///   - configuration: libxl's JSON with a NUL behind it.
  ///   - xen: the hypervisor's version.
  init(
    guest: XenStream.GuestType, xen: (major: UInt32, minor: UInt32), configuration: [UInt8],
    static fixed: [MachineRecord], sticky: [MachineRecord], epoch: [MachineRecord]
  ) {
    let xlHeader = XLHeader.encoded(configuration).prefix(XenStream.xlHeaderSize)
    add(MachineRecord(header: .xl, Array(xlHeader)))
    add(
      MachineRecord(
        .xl, .sticky, type: XenStream.XLPart.configuration.rawValue, payload: configuration))
    add(MachineRecord(header: .libxl, XenStream.libxlHeader))
    add(frame: .libxl, XenStream.LibxlType.libxcContext.rawValue)
    add(MachineRecord(header: .image, Self.imageHeader))
    add(.domainHeader(guest, xen))
    fixed.forEach { add($0) }
    add(frame: .libxc, XenStream.LibxcType.staticDataEnd.rawValue)
    sticky.forEach { add($0) }
    events.append(
      .layout(
        .pages(
          LayoutItem.Pages(
            batch: Self.pagesPerRecord, reserved: 0, runs: [LayoutItem.Run(pfn: 0, count: 1)]))))
    epoch.forEach { add($0) }
    add(frame: .libxc, XenStream.LibxcType.end.rawValue)
    add(frame: .libxl, XenStream.LibxlType.end.rawValue)
  }

  private mutating func add(_ record: MachineRecord) {
    events.append(.layout(.record(padded: true)))
    events.append(.record(record))
  }

  private mutating func add(frame namespace: RecordNamespace, _ type: UInt32) {
    events.append(.layout(.frame(namespace, type: type)))
  }

  private static var imageHeader: [UInt8] {
    var writer = WireWriter(capacity: XenStream.imageHeaderSize)
    writer.write(XenStream.libxcMarker)
    writer.write(libxcVersion.byteSwapped)
    writer.write(UInt64(0))
    return writer.bytes
  }
}
#endif
