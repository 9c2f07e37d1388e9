#if Xen
internal import CheckpointImage
internal import Glibc
package import GuestMemory
package import Storage

/// How a running domain is to be captured.
package struct LiveOptions: Sendable {
  /// Copy everything while the guest is suspended, without rounds before.
  package var paused = false
  /// The pause that is aimed at.
  package var maximumPause = Duration.milliseconds(100)
  /// Bytes of memory for pages copied in the pause.
  package var stageLimit: UInt64 = 1 << 30
  /// Time from the beginning of one image to that of the next; nil for one image.
  package var interval: Duration?
  /// Images to be made; nil for as many as there is time for.
  package var count: Int?
  /// Which pages are left out, by what the guest uses them for.
  package var eviction = EvictionPolicy.none
  /// How far the guest's memory is squeezed first; nil if it is not.
  package var squeeze: SqueezeGoal?
  /// What runs while the guest is suspended.
  package var hook: PauseHook?
  /// Ends the capture, and gives the guest back as it was.
  package let cancellation: Cancellation

  /// Half of the memory that is free: what is copied in a pause must leave room for the work of the host.
  package static var usualStageLimit: UInt64 {
    let pages = sysconf(Int32(_SC_AVPHYS_PAGES))
    return pages > 0 ? UInt64(pages) * UInt64(Limits.pageSize) / 2 : 1 << 30
  }

  /// The usual ones.
  package init(cancellation: Cancellation) { self.cancellation = cancellation }
}
#endif
