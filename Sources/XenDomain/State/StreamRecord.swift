#if Xen
internal import CheckpointImage
internal import Formats

extension MachineRecord {
  /// A record of Xen's libxc stream.
  init(_ type: XenStream.LibxcType, _ payload: [UInt8]) {
    self.init(.libxc, type.recordClass, type: type.rawValue, payload: payload)
  }
}
#endif
