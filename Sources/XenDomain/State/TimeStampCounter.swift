#if Xen
internal import CXen
internal import CheckpointImage
internal import Formats

/// How the guest's time stamp counter goes on.
enum TimeStampCounter {
  /// X86_TSC_INFO.
  static func record(
    _ domain: UInt32, _ hypervisor: Hypervisor
  ) throws(CheckpointError) -> MachineRecord {
    var mode: UInt32 = 0
    var kilohertz: UInt32 = 0
    var nanoseconds: UInt64 = 0
    var incarnation: UInt32 = 0
    guard
      unsafe xc_domain_get_tsc_info(
        hypervisor.control, domain, &mode, &nanoseconds, &kilohertz, &incarnation) == 0
    else { throw hypervisor.failure("read the time stamp counter", domain) }
    var writer = WireWriter(capacity: 24)
    writer.write(mode)
    writer.write(kilohertz)
    writer.write(nanoseconds)
    writer.write(incarnation)
    writer.write(UInt32(0))
    return MachineRecord(.tscInfo, writer.bytes)
  }
}
#endif
