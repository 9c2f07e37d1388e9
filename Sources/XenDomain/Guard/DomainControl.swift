#if Xen
package import CheckpointImage

/// What changes a guest's state, and must be undone whatever happens: only a guard does this, on behalf of
/// the process that captures.
package protocol DomainControl: AnyObject {
  /// Switches log-dirty on; false if the hypervisor has none for this guest.
  func startDirtyLog() throws(CheckpointError) -> Bool
  /// Switches log-dirty off.
  func stopDirtyLog() throws(CheckpointError)
  /// Asks the guest to suspend itself, and waits until it has.
  func suspend() throws(CheckpointError)
  /// Lets a suspended guest go on.
  func resume() throws(CheckpointError)
  /// Stops the vCPUs without the guest's knowledge.
  func pause() throws(CheckpointError)
  /// Lets them go on.
  func unpause() throws(CheckpointError)
  /// Asks the guest, by its memory target in KiB, to give up memory, at most down to that; again with another. Refused
  /// where another program manages its memory.
  func setTarget(_ target: UInt64) throws(CheckpointError)
  /// Keeps what the guest has given up by now for it; fails if others were faster.
  func keepReleased() throws(CheckpointError)
  /// Gives the guest its target back. What it gave up is kept for it until it has taken it.
  func raiseTarget() throws(CheckpointError)
  /// Undoes what is outstanding, and ends the guarding. Where that takes longer, as with a guest that took a
  /// request to suspend itself and does not do so, the error says so, and the guard goes on.
  func close() throws(CheckpointError)
}
#endif
