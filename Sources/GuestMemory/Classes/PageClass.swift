/// What the guest's kernel uses a page for, as its page descriptor says.
package enum PageClass: UInt8, CaseIterable, Sendable {
  /// Not known: there is no descriptor, or it says nothing that is understood.
  case unknown
  /// In a block of the page allocator that nobody uses.
  case free
  /// Nothing refers to it, but it is not the allocator's: on the list of a processor, part of a larger piece that the
  /// kernel took, or a huge page in reserve.
  case perCPUList
  /// Contents of a file, as on disk, that no process has mapped.
  case cacheClean
  /// Contents of a file that are still to be written, or are just being written.
  case cacheDirty
  /// Contents of a file that a process may have mapped, or that are in use otherwise.
  case cacheMapped
  /// Shared memory and tmpfs: no disk has it.
  case sharedMemory
  /// Contents of a file or disk to which a file system attached data of its own, such as buffers.
  case privateCache
  /// Memory of processes.
  case anonymous
  /// Small objects of the kernel.
  case slab
  /// Page tables.
  case pageTable
  /// Other pages of the kernel.
  case kernelOther
  /// Set aside at boot, the kernel itself above all.
  case reserved
  /// Given back to the hypervisor.
  case balloon
  /// Taken out of use: a hardware error, or a memory device that was removed.
  case offline
}
