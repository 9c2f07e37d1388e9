import ArgumentParser
import CheckpointChain
import CheckpointImage
import CommandLineSupport
import GuestMemory
import Inspection
import Pictures

/// What else is compared besides pages.
enum ComparisonKind: String, CaseIterable, ExpressibleByArgument {
  case `class`
}

@main
struct DiffCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "ckpt-diff",
    abstract: "Show what differs between two checkpoints of a guest.",
    discussion: """
      Without --pages, --bytes and --histogram only the indexes are read, and of these only what \
      differs. Exit status 0 means the same memory, 1 different, 2 that they could not be compared.
      """,
    version: RunRecord.version)

  @Argument(help: "The checkpoint before.", completion: .file())
  var before: String

  @Argument(help: "The checkpoint after.", completion: .file())
  var after: String

  @Flag(exclusivity: .exclusive) var listing: ListingKind?

  @Flag(help: "Add to the summary how many bytes changed in how many pages.")
  var histogram = false

  @Option(
    help: ArgumentHelp(
      "Add to the summary what a Linux guest uses its pages for in both: class.", valueName: "what")
  )
  var by: ComparisonKind?

  @Option(
    help: ArgumentHelp("Compare only these PFNs, such as 0x100-0x1ff.", valueName: "first-last"),
    transform: Number.parsePFNs)
  var range: Range<PFN> = 0..<Limits.pfnEnd

  @OptionGroup(title: "Picture") var pictures: PictureOptions
  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup(title: "Common options") var common: CommonOptions

  /// Status 1 means different, so errors have another one.
  static func status(of error: CheckpointError) -> ExitStatus { .failure }

  func validate() throws {
    if before == "-" && after == "-" {
      throw ValidationError("standard input can be used only once")
    }
    if pictures.takesStandardOutput && (listing != nil || common.json) {
      throw ValidationError("standard output can be used only once")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    let pair = try chain.openPair(before, after)
    let guest = try GuestComparison(pair)
    for reason in guest.foreign {
      Message.print("\(toolName): warning: these look like two different guests: \(reason)")
    }
    let list = listing?.make(json: common.json)
    let contents = PageContents(pair)
    var bytes = ChangedBytes()
    var classes: ClassComparison?
    if by == .class { classes = try ClassComparison(pair) }
    var map = pictures.isWanted ? pictures.map(of: blocks(of: pair), .changes) : nil
    let readsPages = histogram || listing == .pages || listing == .bytes
    let difference = try Difference(pair, within: range) { (run) throws(CheckpointError) in
      try list?.add(run)
      classes?.add(run.pages)
      map?.add(run.pages, kind: Legend.index(of: run.change.kind))
      guard readsPages, run.change.contentsDiffer else { return }
      try contents.read(run.pages) { (pfn, old, new) throws(CheckpointError) in
        bytes.add(ChangedBytes.count(old, new))
        try list?.add(pfn, run.change, old, new)
      }
    }
    try list?.end()
    var report = try DifferenceReport(pair, difference, guest, readsPages ? bytes : nil)
    report.classes = try classes?.shares().map(ClassReport.init)
    if let map { try pictures.draw(map, titles: report.titles, of: pair.images) }
    try show(report)
    return difference.pages == 0 ? .success : .no
  }

  /// The blocks that a picture shows.
  private func blocks(of pair: ChainPair) -> [BlockNumber] {
    pair.blocks.filter { range.overlaps($0.pages) }
  }

  /// Prints the summary: as the result, or on standard error if a list is the result.
  private func show(_ report: DifferenceReport) throws(CheckpointError) {
    if listing == nil && !pictures.takesStandardOutput {
      if common.json {
        try Results.printJSON(report)
      } else if !common.quiet {
        for line in report.lines { try Results.print(line) }
      }
    } else if !common.quiet {
      report.lines.forEach(Message.print)
    }
  }
}
