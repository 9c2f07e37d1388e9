#if Xen
internal import CheckpointImage

extension CheckpointError {
  /// The domain does not exist any more.
  static func gone(_ domain: UInt32) -> CheckpointError {
    CheckpointError(
      .io, "is gone: it was shut down, destroyed or moved away", file: "domain \(domain)")
  }
}
#endif
