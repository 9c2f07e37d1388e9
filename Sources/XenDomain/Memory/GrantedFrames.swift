#if Xen
internal import CXen
internal import CheckpointImage
internal import Glibc

/// The frames that a domain lets others use, by its grant table. What others write to them is not in the dirty log.
///
/// The guest writes the table: it may name any frame.
enum GrantedFrames {
  /// Which of them are meant.
  enum Access {
    /// Those that others can write to.
    case writable
    case all
  }

  /// Those frames, ascending: of a PV domain machine frames, of others guest frames.
  static func read(_ domain: UInt32, _ hypervisor: Hypervisor, _ access: Access)
    throws(CheckpointError) -> [UInt64]
  {
    let version = unsafe xc_gnttab_get_version(hypervisor.control, domain)
    var size = gnttab_query_size()
    size.dom = domid_t(truncatingIfNeeded: domain)
    guard version > 0, unsafe xc_gnttab_query_size(hypervisor.control, &size) == 0,
      size.status == 0
    else { throw hypervisor.failure("read the grant table's size", domain) }
    let pages = Int(size.nr_frames)
    if pages == 0 { return [] }
    var base: UnsafeMutableRawPointer?
    guard
      let table = unsafe xenforeignmemory_map_resource(
        hypervisor.foreign, domid_t(truncatingIfNeeded: domain),
        UInt32(XENMEM_resource_grant_table), UInt32(XENMEM_resource_grant_table_id_shared), 0,
        UInt(pages), &base, PROT_READ, 0), let base = unsafe base
    else { throw hypervisor.failure("map the grant table", domain) }
    defer { _ = unsafe xenforeignmemory_unmap_resource(hypervisor.foreign, table) }
    // A copy: the guest may change an entry while it is being judged. SAFETY: so many pages are mapped at `base` until
    // the function ends.
    let words = unsafe [UInt64](
      UnsafeRawBufferPointer(start: base, count: pages * Limits.pageSize).bindMemory(
        to: UInt64.self))
    return frames(words, version: version, access)
  }

  /// The frames granted, ascending, in a table of that version: entries have one word (1) or two (2).
  static func frames(_ table: [UInt64], version: Int32, _ access: Access) -> [UInt64] {
    let stride = version == 2 ? 2 : 1
    var frames: Set<UInt64> = []
    for entry in Swift.stride(from: 0, to: table.count - stride + 1, by: stride) {
      let flags = UInt32(truncatingIfNeeded: table[entry] & 0xffff)
      guard flags & UInt32(GTF_type_mask) == UInt32(GTF_permit_access) else { continue }
      // An entry made read-only after it was mapped for writing is still written to.
      let isWritable = flags & UInt32(GTF_readonly) == 0 || flags & UInt32(GTF_writing) != 0
      guard isWritable || access == .all else { continue }
      frames.insert(stride == 2 ? table[entry + 1] : table[entry] >> 32)
    }
    return frames.sorted()
  }
}
#endif
