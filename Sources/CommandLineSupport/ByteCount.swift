/// Formats sizes for people.
package enum ByteCount {
  /// A size in bytes, or in kB to EB, with about three digits.
  package static func text(_ bytes: UInt64) -> String {
    var value = Double(bytes)
    var unit = "B"
    // From there on, a value with one digit behind the point is rounded up to 1000.
    let roundsUp = 999.95
    for next in ["kB", "MB", "GB", "TB", "PB", "EB"] where value >= (unit == "B" ? 1000 : roundsUp)
    {
      value /= 1000
      unit = next
    }
    if unit == "B" { return "\(bytes) B" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(unit)"
  }
}
