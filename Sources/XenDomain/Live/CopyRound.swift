#if Xen
/// What was copied in one go while the guest ran.
package struct CopyRound: Sendable {
  /// Pages copied.
  package let pages: Int
  /// From the first page to the last, compression of the pages before included.
  package let time: Duration

  /// Bytes copied.
  package var bytes: Int { pages * 4096 }
}
#endif
