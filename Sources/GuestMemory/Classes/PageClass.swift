/// What the guest's kernel uses a page for, according to its page descriptor.
package enum PageClass: UInt8, CaseIterable, Sendable {
  /// Unknown: there is no descriptor, or its contents are not understood.
  case unknown
  /// In a free block of the page allocator.
  case free
  /// Without references, but not in a block of the allocator: on the list of a processor, part of a larger
  /// allocation, or a huge page in reserve.
  case perCPUList
  /// Contents of a file, unchanged since they were read or written, and mapped by no process.
  case cacheClean
  /// Contents of a file that must still be written, or are being written.
  case cacheDirty
  /// Contents of a file that a process may have mapped, or that are otherwise in use.
  case cacheMapped
  /// Shared memory and tmpfs, which no disk holds.
  case sharedMemory
  /// Contents of a file or disk with data of the file system attached, such as buffers.
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
  /// Given back to the hypervisor by the balloon driver.
  case balloon
  /// Out of use: a hardware error, or a memory device that was removed.
  case offline
}
