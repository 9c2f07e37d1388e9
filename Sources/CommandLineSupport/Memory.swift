internal import CGlibc

/// How the process uses memory.
enum Memory {
  /// Lets large blocks go back to the system as soon as they are freed.
  ///
  /// Pieces of files and of memory have 1 MiB. Once one of them was freed, the C library would keep such blocks among
  /// small ones, and the process would take some MiB more than it ever uses.
  static func returnLargeBlocks() { _ = mallopt(M_MMAP_THRESHOLD, 1 << 20) }
}
