#if Xen
/// What was copied in one go while the guest ran.
public struct CopyRound: Sendable {
  /// Pages copied.
  public let pages: Int
  /// From the first page to the last, compression of the pages before included.
  public let time: Duration

  /// Bytes copied.
  public var bytes: Int { pages * 4096 }
}
#endif
