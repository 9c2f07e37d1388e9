import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import GuestMemory
import Operations
import Storage

@main
struct MergeCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "ckpt-merge",
    abstract: "Merge a chain of checkpoint images into one.",
    discussion: """
      Without --onto the result is a base that needs no other image; with it, one increment on that \
      ancestor. The result names the same moment as TIP: images that name TIP as their parent accept it. \
      No input is changed. With --evict, --evict-list or --evict-kdump pages are left out that the images \
      still hold: that is another moment, and images that name TIP do not accept it.
      """,
    version: RunRecord.version)

  @Argument(help: "The youngest image to be merged; - is standard input.", completion: .file())
  var tip: String

  @Option(
    help: ArgumentHelp("Make one increment on this ancestor.", valueName: "image"),
    completion: .file())
  var onto: String?

  @Flag(help: "Read the whole file back before it gets its name.")
  var verify = false

  @OptionGroup(title: "Eviction") var eviction: EvictionOptions
  @OptionGroup(title: "Compression") var codec: CodecOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup(title: "Common options") var common: CommonOptions
  @OptionGroup(title: "Common options") var threads: ThreadOptions

  func validate() throws {
    if verify && output.output == "-" {
      throw ValidationError("--verify needs a file: standard output cannot be read back")
    }
    try eviction.check(beside: tip, onto)
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    var ancestor: Digest?
    var folders: [String] = []
    if let onto {
      ancestor = try openImage(onto).root.checkpointID
      folders.append(Folders.folder(of: onto))
    }
    let images = try chain.open(tip, alsoIn: folders)
    var options = Merge.Options(
      onto: ancestor, settings: codec.chosen, provenance: RunRecord.begin("merge"))
    let decision = try evict(from: images, &options)
    let file = try output.open()
    let progress = ProgressLine("merging", quiet: common.quiet)
    let result = try Merge.run(
      images, options, to: file, on: threads.pool, progress: progress.update)
    if verify { try readBack(file, folders) }
    try file.commit()
    progress.end()
    if let onto { output.noteParent(onto, quiet: common.quiet) }
    var report = ImageReport(
      file: file.name, root: result.image.root, fileID: result.image.fileID,
      bytes: result.image.fileLength)
    report.merged = ImageReport.Merged(
      images: result.images, copied: result.regions.copied, repacked: result.regions.repacked)
    decision?.warn(of: images.tip.name, after: result.evicted)
    report.record(result.evicted, of: decision)
    try report.show(common, output)
    return .success
  }

  private func evict(from chain: Chain, _ options: inout Merge.Options) throws(CheckpointError)
    -> EvictionDecision?
  {
    let request = try eviction.request()
    guard !request.isEmpty else { return nil }
    let decision = try request.decide(
      on: ChainMemory(chain), records: chain.completeRecords(), pool: threads.pool)
    decision.warn(of: chain.tip.name)
    decision.describe(in: &options.provenance)
    options.evicted = decision.plan
    return decision
  }

  /// Verifies the written file before it gets its name.
  private func readBack(_ file: any ByteSink, _ folders: [String]) throws(CheckpointError) {
    let progress = ProgressLine("verifying", quiet: common.quiet)
    let check = Verification(.full, on: threads.pool, progress: progress.update)
    try check.run(
      file.reopened(), finding: chain.finder(of: output.output, alsoIn: folders))
    progress.end()
    if let finding = check.findings.first ?? check.obstacle { throw finding }
  }
}
