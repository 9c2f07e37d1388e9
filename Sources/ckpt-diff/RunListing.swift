import CheckpointChain
import CheckpointImage
import CommandLineSupport

/// A line for each run of pages: first and last page, their number, the kind of difference.
final class RunListing: Listing {
  private struct Run: Encodable {
    var pfn: PFN
    var count: Int
    var how: ChangeReport
  }

  private var output = ResultStream()
  private var list: JSONList?

  init(json: Bool) { list = json ? JSONList() : nil }

  func add(_ run: Difference.Run) throws(CheckpointError) {
    let pages = run.pages
    if list != nil {
      try list?.add(
        Run(pfn: pages.lowerBound, count: pages.count, how: ChangeReport(run.change)))
    } else {
      try output.print("\(Hexadecimal.string(pages)) \(pages.count) \(run.change.text)")
    }
  }

  func add(_ pfn: PFN, _ change: PageChange, _ before: RawSpan, _ after: RawSpan) {}

  func end() throws(CheckpointError) {
    try list?.end()
    try output.flush()
  }
}
