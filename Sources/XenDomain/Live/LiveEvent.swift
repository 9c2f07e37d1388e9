#if Xen
package import CheckpointImage

/// What happens in a live capture, as it is reported to whoever asked for it.
package enum LiveEvent: Sendable {
  /// The hypervisor keeps no dirty log for this guest: every image reads all of memory.
  case noDirtyLog
  /// The guest gave up memory: from so many pages to so many.
  case squeezed(from: UInt64, to: UInt64, Duration, SqueezeEnd)
  /// While it was copied it needed more memory and got all of it back, for this reason.
  case squeezeEnds(SqueezeEnd)
  /// A round of copying while the guest ran has ended.
  case round(number: Int, CopyRound)
  /// Why no more rounds follow.
  case roundsEnd(RoundsEnd)
  /// The dirty log was switched off by somebody: all pages are compared.
  case logLost
  /// More pages have to be copied in the pause than there is memory for: it takes longer.
  case stageFull(pages: Int)
  /// The command that ran in the pause failed; the image is made all the same.
  case hookFailed(String)
  /// An earlier capture was killed; what it had left behind was put right.
  case recovered(String)
  /// At the end the guest could not be put back as it was.
  case notUndone(CheckpointError)
  /// What the guest uses its pages for could not be found out: all are kept.
  case allKept(CheckpointError)
  /// How many pages the image leaves out, for what reasons.
  case evicted([(reason: EvictionReason, pages: Int)])
  /// Pages that the guest has could not be read.
  case unreadable(pages: Int)
  /// Somebody else let a paused guest go on: the pages are not of one moment.
  case hasRun
  /// This moment could not be had, and has no image.
  case leftOut(CheckpointError)
  /// The domain of that name has ended; the capture waits for its next start.
  case ended(String)
  /// It was started again and has this number: the next image is a base.
  case startedAgain(UInt32)
  /// It was not: the series ends.
  case notStartedAgain
  /// The guest goes on.
  case resumed(PauseTimes, pages: Int)
}

/// Why copying while the guest runs ends.
package enum RoundsEnd: String, Sendable {
  case shortEnough = "the pause will be short enough"
  case noGain = "another round would not make the pause shorter"
  case enough = "there were as many rounds as are useful"
}
#endif
