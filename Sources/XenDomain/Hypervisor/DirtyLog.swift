#if Xen
internal import CheckpointImage

/// The record of which pages of a guest were written to, while it is on.
///
/// It has no owner: any program may switch it off.
protocol DirtyLog: AnyObject {
  /// Reads the log and resets it.
  ///
  /// - Parameter isLast: the guest is suspended, and nothing will follow in this pause.
  func clean(limit: PFN, isLast: Bool) throws(CheckpointError) -> DirtyReading
  /// Reads the log without resetting it.
  func peek(limit: PFN) throws(CheckpointError) -> DirtyReading
}

/// What a reading of the dirty log found.
enum DirtyReading {
  /// The pages that were written to since the last reading that reset.
  case pages(PFNBitmap)
  /// Somebody had switched the log off: it is on again, and what was written meanwhile is not known.
  case lost
}
#endif
