import CheckpointChain
import CheckpointImage
import CommandLineSupport

/// A line for each page: its number, the number of changed bytes, the kind of difference.
final class PageListing: Listing {
  private struct Page: Encodable {
    var pfn: PFN
    /// Nil unless both contents are known and differ.
    var changedBytes: Int?
    var how: ChangeReport
  }

  private var output = ResultStream()
  private var list: JSONList?

  init(json: Bool) { list = json ? JSONList() : nil }

  func add(_ run: Difference.Run) throws(CheckpointError) {
    guard !run.change.contentsDiffer else { return }
    for pfn in run.pages { try add(pfn, run.change, bytes: nil) }
  }

  func add(_ pfn: PFN, _ change: PageChange, _ before: RawSpan, _ after: RawSpan)
    throws(CheckpointError)
  {
    try add(pfn, change, bytes: ChangedBytes.count(before, after))
  }

  private func add(_ pfn: PFN, _ change: PageChange, bytes: Int?) throws(CheckpointError) {
    if list != nil {
      try list?.add(Page(pfn: pfn, changedBytes: bytes, how: ChangeReport(change)))
    } else {
      let count = bytes.map(String.init) ?? "-"
      try output.print("\(Hexadecimal.string(pfn)) \(count) \(change.text)")
    }
  }

  func end() throws(CheckpointError) {
    try list?.end()
    try output.flush()
  }
}
