import CheckpointImage
import CommandLineSupport
import GuestMemory
import Inspection
import Pictures

/// A class of pages in the memory of two moments.
struct ClassReport: Encodable {
  var name: String
  var before: UInt64
  var after: UInt64
  /// Pages that differ and are of this class in the second moment.
  var differing: UInt64
  private let share: ClassComparison.Share

  private enum CodingKeys: CodingKey { case name, before, after, differing }

  init(_ share: ClassComparison.Share) {
    self.share = share
    name = "\(share.pageClass)"
    before = share.before
    after = share.after
    differing = share.differing
  }

  /// The lines for people.
  static func lines(_ classes: [ClassReport]) -> [String] {
    let head =
      Column.left("classes", 21) + Column.right("change", 12) + Column.right("before", 12)
      + Column.right("after", 12) + "  pages that differ"
    return [head] + classes.map(\.line)
  }

  private var line: String {
    let sign = after == before ? "" : after > before ? "+" : "-"
    let change = after == before ? "0" : MemorySize.text(pages: share.change)
    return "  " + Column.left(share.pageClass.name, 19) + Column.right(sign + change, 12)
      + Column.right(MemorySize.text(pages: before), 12)
      + Column.right(MemorySize.text(pages: after), 12) + Column.right("\(differing)", 19)
  }
}
