/// Formats sizes for people.
package enum ByteCount {
  /// A size in bytes, kB, MB or GB, with about three digits.
  package static func text(_ bytes: UInt64) -> String {
    var value = Double(bytes)
    var unit = "B"
    for next in ["kB", "MB", "GB", "TB", "PB", "EB"] where value >= 1000 {
      value /= 1000
      unit = next
    }
    if unit == "B" { return "\(bytes) B" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(unit)"
  }
}
