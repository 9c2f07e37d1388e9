/// How much of the source's byte layout an image keeps (Spec, "Root").
package enum LayoutKind: UInt32, Sendable {
  /// None: the source was no Xen stream.
  case none = 0
  /// All of it: the export equals the source byte for byte.
  case exact = 1
  /// The order of records only: pages are exported once each, ascending.
  case canonical = 2
}
