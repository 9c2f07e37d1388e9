import ArgumentParser
import CheckpointChain
import CheckpointImage
import CommandLineSupport

@main
struct DiffCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "ckpt-diff",
    abstract: "Show which pages differ between two checkpoints.",
    discussion: """
      Only the indexes are read. Exit status 0 means the same memory, 1 different, 2 that they could \
      not be compared.
      """,
    version: RunRecord.version)

  @Argument(help: "The checkpoint before.", completion: .file())
  var before: String

  @Argument(help: "The checkpoint after.", completion: .file())
  var after: String

  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup(title: "Common options") var common: CommonOptions

  private struct Report: Encodable {
    struct Range: Encodable {
      var pfn: UInt64
      var count: UInt64
      var before: String
      var after: String
    }
    var before: String
    var after: String
    var sameMemory: Bool
    var sameMachineState: Bool
    var differingPages: UInt64
    var ranges: [Range]
  }

  /// 1 means that they differ; whatever keeps them from being compared is another status.
  static func status(of error: CheckpointError) -> ExitStatus { .failure }

  func validate() throws {
    if before == "-" && after == "-" {
      throw ValidationError("standard input can be used only once")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    // One may be the other's parent, wherever they lie.
    let old = try ChainResolver.open(before, searching: chain.folders + folders(of: after))
    let new = try ChainResolver.open(after, searching: chain.folders + folders(of: before))
    let difference = try Difference(old, new)
    if common.json {
      try Results.printJSON(report(difference, old, new))
    } else {
      try print(difference)
    }
    return difference.ranges.isEmpty ? .success : .no
  }

  private func folders(of path: String) -> [String] {
    path == "-" ? [] : [ChainResolver.folder(of: path)]
  }

  private func report(_ difference: Difference, _ old: Chain, _ new: Chain) -> Report {
    Report(
      before: old.checkpointID.hex, after: new.checkpointID.hex,
      sameMemory: difference.ranges.isEmpty, sameMachineState: !difference.machineStateDiffers,
      differingPages: difference.differing,
      ranges: difference.ranges.map {
        Report.Range(
          pfn: $0.pfn, count: $0.count, before: "\($0.before)", after: "\($0.after)")
      })
  }

  private func print(_ difference: Difference) throws(CheckpointError) {
    for range in difference.ranges {
      let pages =
        range.count == 1
        ? Hexadecimal.string(range.pfn)
        : "\(Hexadecimal.string(range.pfn))-\(Hexadecimal.string(range.pfn + range.count - 1))"
      let change =
        range.before == range.after ? "\(range.after)" : "\(range.before) -> \(range.after)"
      try Results.print("\(pages) \(range.count) \(change)")
    }
    guard !common.quiet else { return }
    Message.print(
      "\(Count.text(difference.differing, "page")) differ in "
        + "\(Count.text(difference.ranges.count, "range")); machine state "
        + (difference.machineStateDiffers ? "differs" : "is the same"))
  }
}
