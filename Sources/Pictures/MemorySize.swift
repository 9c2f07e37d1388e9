internal import CheckpointImage

/// Formats sizes and addresses of memory.
package enum MemorySize {
  /// The size of some pages, in KiB, MiB and so on.
  package static func text(pages: UInt64) -> String {
    var value = Double(pages) * Double(Limits.pageSize) / 1024
    var unit = "KiB"
    for next in ["MiB", "GiB", "TiB", "PiB", "EiB"] where value >= 1024 {
      value /= 1024
      unit = next
    }
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
  }

  /// The address of a page, with at least this many digits. The address of the last page fits as well.
  static func address(_ pfn: PFN, digits: Int = 0) -> String {
    let text = String(pfn << UInt64(Limits.pageShift), radix: 16)
    return "0x" + String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  /// The number of digits that the addresses of a map need.
  static func digits(_ map: PageMap) -> Int {
    address(map.rows.last.map { $0.pfn + (map.pagesPerRow - 1) } ?? 0).count - 2
  }
}
