#if Xen
internal import CXen
internal import CheckpointImage
internal import Glibc

/// Xen's own table of which PFN each machine frame is, for all PV guests of the host.
///
/// SAFETY: the table is mapped from `init` to `deinit` and has `count` entries.
@safe final class MachineToPhysical {
  /// Machine frames are below.
  let count: UInt64
  private let table: UnsafePointer<xen_pfn_t>
  private let bytes: Int

  init(_ hypervisor: Hypervisor) throws(CheckpointError) {
    var count: UInt = 0
    guard unsafe xc_maximum_ram_page(hypervisor.control, &count) == 0, count > 0,
      let table = unsafe xc_map_m2p(hypervisor.control, count, PROT_READ, nil)
    else { throw hypervisor.failure("map the machine-to-physical table") }
    self.count = UInt64(count)
    unsafe self.table = UnsafePointer(table)
    // The library maps whole chunks of 2 MiB.
    bytes = (Int(count) * MemoryLayout<xen_pfn_t>.stride + 0x1f_ffff) & ~0x1f_ffff
  }

  deinit { unsafe munmap(UnsafeMutableRawPointer(mutating: table), bytes) }

  /// The PFN of a machine frame, as its owner last said; any number if it has none. Nil if there is no such
  /// frame.
  subscript(frame: UInt64) -> PFN? {
    frame < count ? unsafe PFN(table[Int(frame)]) : nil
  }
}
#endif
