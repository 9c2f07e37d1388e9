#if Xen
/// What a guest could do without, as its kernel counts it, in pages.
struct SpareMemory: Equatable, Sendable {
  /// Used for nothing.
  var free: UInt64
  /// Contents of files that are on disk too, and that no process has mapped.
  var cleanCache: UInt64
  /// Room that is left in its swap space.
  var swapRoom: UInt64

  /// What it can give up without writing anything.
  var pages: UInt64 { free &+ cleanCache }
}
#endif
