#if Xen
internal import CheckpointImage
internal import GuestMemory

/// A domain whose guest can be asked to give up memory, and what is known of its memory.
protocol SqueezableDomain: AnyObject {
  /// Its number, UUID and name.
  var reference: DomainReference { get }
  /// How much its balloon driver shall leave the guest, in KiB.
  func memoryTarget() throws(CheckpointError) -> UInt64
  /// What the guest's kernel counts of its memory now; refused if the kernel is none that can be read.
  func counters() throws(CheckpointError) -> MemoryCounters
  /// Pages allocated to the domain; fails if it is gone.
  func pageCount() throws(CheckpointError) -> UInt64
}
#endif
