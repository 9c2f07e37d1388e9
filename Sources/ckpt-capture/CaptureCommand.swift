public import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
public import Interchange

extension SourceFormat: ExpressibleByArgument {}

@main
struct CaptureCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "ckpt-capture",
    abstract: "Make a checkpoint image of a guest's memory and machine state.",
    discussion: """
      SOURCE is an xl save file, or with --format raw plain memory; - is standard input. With \
      --parent the image is an increment: it holds only what differs from the parent.
      """,
    version: RunRecord.version)

  @Argument(help: "The file to capture from; - is standard input.", completion: .file())
  var source: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Make an increment on this image.", valueName: "image"),
    completion: .file())
  var parent: String?

  @Option(
    help: ArgumentHelp("Take the source as xl or raw (default: look at it).", valueName: "format"))
  var format: SourceFormat?

  @Flag(help: "Record the SHA-256 of the source file.")
  var hashSource = false

  @OptionGroup(title: "Compression") var codec: CodecOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup(title: "Common options") var common: CommonOptions
  @OptionGroup(title: "Common options") var threads: ThreadOptions

  func validate() throws {
    if source == "-" && parent == "-" {
      throw ValidationError("standard input can be used only once")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    let input = try InputStream(source)
    if hashSource { input.startDigest() }
    let format = if let format { format } else { try SourceFormat.recognise(input) }
    var parentChain: Chain?
    if let parent { parentChain = try ChainResolver.open(parent, searching: chain.folders) }
    let file = try output.open()
    let progress = ProgressLine("capturing", quiet: common.quiet)
    let capture = Capture(
      settings: codec.chosen ?? CodecSettings(), parent: parentChain,
      provenance: RunRecord.begin("capture"))
    let summary = try capture.run(
      format.open(input), to: file, on: threads.pool, progress: progress.update
    ) { provenance in
      if let time = input.modified {
        provenance.add(
          "source.modified",
          RunRecord.text(seconds: time.seconds, nanoseconds: time.nanoseconds))
      }
      if let digest = input.finishDigest() { provenance.add("source.sha256", digest.hex) }
      provenance.add("end", RunRecord.now())
    }
    try file.commit()
    progress.end()
    if let parentChain { output.noteParent(parentChain.tip.name, quiet: common.quiet) }
    try ImageReport(
      file: file.name, root: summary.root, fileID: summary.fileID, bytes: summary.fileLength
    ).tell(common, output)
    return .success
  }
}
