public import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
public import Interchange

extension Restore.Format: ExpressibleByArgument {}

@main
struct RestoreCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "ckpt-restore",
    abstract: "Write the memory and machine state of a checkpoint in a format others read.",
    discussion: """
      xl is a file for "xl restore", libxl and libxc the streams inside it, libvirt a file for "virsh \
      restore", xenserver a suspend image, raw plain memory. Every page is checked against its digest \
      on the way.
      """,
    version: RunRecord.version)

  @Argument(
    help: "The image to restore; its ancestors are found. - is standard input.", completion: .file()
  )
  var tip: String

  @Option(
    help: ArgumentHelp(
      "Write xl, libxl, libxc, libvirt, xenserver or raw.", valueName: "format"))
  var to: Restore.Format

  @Option(
    help: ArgumentHelp(
      "With --to xl: the domain's configuration, as libxl's JSON or an xl.cfg file.",
      valueName: "file"),
    completion: .file())
  var config: String?

  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup(title: "Common options") var common: CommonOptions
  @OptionGroup(title: "Common options") var threads: ThreadOptions

  func validate() throws {
    if config != nil && to != .xl {
      throw ValidationError("--config needs --to xl: no other format has an xl configuration")
    }
  }

  private struct Report: Encodable {
    var file: String
    var format: String
    var checkpointID: String
    var shownAsZeros: [String: UInt64]
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    let images = try ChainResolver.open(tip, searching: chain.folders)
    let configuration =
      if let config { try GivenConfiguration(config) } else { GivenConfiguration?.none }
    let file = try output.open()
    let progress = ProgressLine("restoring", quiet: common.quiet)
    let zeros = try Restore.run(
      images, as: to, configuration: configuration, to: file, on: threads.pool,
      progress: progress.update)
    try file.commit()
    progress.end()
    if common.json && output.output != "-" {
      try Results.printJSON(
        Report(
          file: file.name, format: to.rawValue, checkpointID: images.checkpointID.hex,
          shownAsZeros: [
            "evicted": zeros.evicted, "unreadable": zeros.unreadable,
            "unpopulated": zeros.unpopulated,
          ]))
    } else if zeros.total > 0 {
      Message.print(
        "ckpt-restore: shown as zeros: \(zeros.evicted) evicted, \(zeros.unreadable) unreadable, \(zeros.unpopulated) unpopulated pages"
      )
    }
    return .success
  }
}
