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
    let writer: any DifferenceWriter =
      common.json ? JSONDifferenceWriter(old, new) : TextDifferenceWriter(quiet: common.quiet)
    try writer.begin()
    let difference = try Difference(old, new, each: writer.write)
    try writer.end(difference)
    return difference.pages == 0 ? .success : .no
  }

  private func folders(of path: String) -> [String] {
    path == "-" ? [] : [ChainResolver.folder(of: path)]
  }
}
