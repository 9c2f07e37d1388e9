#if Xen
/// How far a guest's memory is to be squeezed before it is captured.
package enum SqueezeGoal: Equatable, Sendable {
  /// As far as what it does not use and what it can read again from its disks go.
  case auto
  /// Down to so many bytes, but no further than with `auto` where that is known.
  case bytes(UInt64)
}
#endif
