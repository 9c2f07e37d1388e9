import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport

/// The report on a salvage.
struct SalvageReport: Encodable {
  struct PageRange: Encodable {
    var first: PFN
    var last: PFN
  }

  struct Rescued: Encodable {
    /// Pages verified by their SHA-256 in an index block.
    var byDigest: UInt64
    /// Pages verified only by the checksum of their region.
    var byChecksum: UInt64
    /// Pages without stored contents.
    var states: UInt64
  }

  struct Lost: Encodable {
    var pages: UInt64
    var ranges: [PageRange]
    /// The number of ranges that are not listed.
    var rangesLeftOut: Int
  }

  private static let mostListed = 10_000
  private static let mostPrinted = 50

  private var complete: Bool
  private var image: ImageReport
  private var rescued: Rescued
  private var lost: Lost
  private var unknown: [PageRange]
  private var records: Int
  private var recordsComplete: Bool
  private var layout: String
  private var historyComplete: Bool
  private var sameMoment: Bool?
  private var findings: [String]

  init(_ result: Salvage.Result, file: String) {
    complete = result.isComplete
    image = ImageReport(
      file: file, root: result.image.root, fileID: result.image.fileID,
      bytes: result.image.fileLength)
    rescued = Rescued(
      byDigest: result.indexed, byChecksum: result.unindexed, states: result.others)
    lost = Lost(
      pages: result.lostPages, ranges: result.lost.prefix(Self.mostListed).map(Self.range),
      rangesLeftOut: max(0, result.lost.count - Self.mostListed))
    unknown = result.unknown.prefix(Self.mostListed).map(Self.range)
    records = result.records
    recordsComplete = result.recordsAreComplete
    layout = result.layout.rawValue
    historyComplete = result.historyIsComplete
    sameMoment = result.isSameMoment
    findings = result.findings.map { "\($0)" }
  }

  private static func range(_ pages: Range<PFN>) -> PageRange {
    PageRange(first: pages.lowerBound, last: pages.upperBound - 1)
  }

  /// Prints JSON, or text for people: losses on standard output, the rest on standard error.
  func show(_ common: CommonOptions, dataOnStandardOutput: Bool) throws(CheckpointError) {
    if common.json && !dataOnStandardOutput { return try Results.printJSON(self) }
    for line in lines {
      if dataOnStandardOutput { Message.print(line) } else { try Results.print(line) }
    }
    guard !common.quiet else { return }
    Message.print(image.line)
    Message.print(
      "rescued \(Count.text(rescued.byDigest, "page")) by their digests, "
        + "\(rescued.byChecksum) by checksums alone, \(rescued.states) without contents, "
        + Count.text(records, "record"))
    Message.print(
      complete
        ? "nothing was lost"
        : "\(Count.text(lost.pages, "page")) lost in \(Count.text(lost.ranges.count + lost.rangesLeftOut, "range"))"
    )
  }

  /// A line for each loss.
  private var lines: [String] {
    var lines = lost.ranges.prefix(Self.mostPrinted).map { "unreadable: \(Self.text($0))" }
    let rest = lost.ranges.count + lost.rangesLeftOut - lines.count
    if rest > 0 { lines.append("unreadable: \(rest) more ranges; --json lists them") }
    if let first = unknown.first, unknown.count == 1, first.first == 0 {
      lines.append("may be missing: any page that is not named; it is shown as not populated")
    } else {
      for range in unknown.prefix(Self.mostPrinted) {
        lines.append("may be missing: \(Self.text(range)); shown as not populated")
      }
    }
    if !recordsComplete { lines.append("machine records: some are lost, or may be") }
    if layout == Salvage.Result.Layout.lost.rawValue {
      lines.append(
        "layout of the source's stream: lost; --to raw, elf, kdump and lime are possible")
    }
    if !historyComplete { lines.append("history: incomplete") }
    if complete == false, lines.isEmpty {
      lines.append("the memory is not that of the moment which the damaged image names")
    }
    return lines
  }

  private static func text(_ range: PageRange) -> String {
    let count = range.last - range.first + 1
    guard count > 1 else { return "PFN \(range.first)" }
    return range.last == Limits.pfnEnd - 1
      ? "PFN \(range.first) and above" : "PFN \(range.first) to \(range.last), \(count) pages"
  }
}
