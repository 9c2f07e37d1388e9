#if Xen
internal import CheckpointImage
internal import Formats

extension MachineRecord {
  /// A record of the libxc stream.
  init(_ type: XenStream.LibxcType, _ payload: [UInt8]) {
    self.init(.libxc, type.recordClass, type: type.rawValue, payload: payload)
  }

  /// A header of a stream.
  init(header: XenStream.Header, _ bytes: [UInt8]) {
    self.init(.streamHeader, .epoch, type: header.rawValue, payload: bytes)
  }

  /// The libxc domain header: the guest's type, the size of a page, and the hypervisor's version.
  static func domainHeader(_ guest: XenStream.GuestType, _ xen: (major: UInt32, minor: UInt32))
    -> MachineRecord
  {
    var writer = WireWriter(capacity: XenStream.domainHeaderSize)
    writer.write(guest.rawValue)
    writer.write(UInt32(Limits.pageShift))
    writer.write(xen.major)
    writer.write(xen.minor)
    return MachineRecord(header: .domain, writer.bytes)
  }
}
#endif
