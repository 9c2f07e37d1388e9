#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats

/// The pages of a live domain, in the guest's own page numbers: what differs between PV and HVM (PVH) guests.
///
/// Its limit may grow with `refresh`. While the guest runs, pages that cannot be copied may just be changing,
/// and have to be copied again later.
protocol DomainPages: PhysicalMemory {
  /// The type in the libxc domain header.
  var guest: XenStream.GuestType { get }

  /// Reads anew which PFNs have a page, of what type and where. The result is every PFN for which the answer
  /// is not what it was the time before (at first: those with a page).
  ///
  /// - Parameter isStill: the guest does not run: the answer must be exact.
  func refresh(isStill: Bool) throws(CheckpointError) -> PFNBitmap
  /// What the last `refresh` found: data with its PV type, unpopulated, broken or to be allocated only.
  func status(_ pfn: PFN) -> PageStatus
}

/// The memory and machine state of a live domain in the form Xen saves them.
protocol DomainMemory: DomainPages {
  /// Pages that others write to past the dirty log: special pages, and those granted writable.
  func unloggedPages() throws(CheckpointError) -> [PFN]
  /// Pages that the guest lets others read or write.
  func grantedPages() throws(CheckpointError) -> [PFN]

  /// The records of the processors as they are now, of a guest that may run.
  func processors() throws(CheckpointError) -> [MachineRecord]
  /// Records before STATIC_DATA_END, in the order of Xen's stream.
  func staticRecords() throws(CheckpointError) -> [MachineRecord]
  /// Records between STATIC_DATA_END and memory.
  func stickyRecords() throws(CheckpointError) -> [MachineRecord]
  /// Records behind memory; the guest is suspended.
  func epochRecords() throws(CheckpointError) -> [MachineRecord]
}
#endif
