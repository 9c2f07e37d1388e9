import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Inspection

struct DigestCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "digest",
    abstract: "Show the digest of the memory, or the SHA-256 of its bytes.")

  @Argument(help: "The image; its ancestors are found. - is standard input.", completion: .file())
  var tip: String

  @Flag(help: "The SHA-256 of the file that ckpt-restore --to raw writes.")
  var sha256 = false

  @Option(
    help: ArgumentHelp(
      "The SHA-256 of these pages, such as 0x100-0x1ff.", valueName: "first-last"),
    transform: Number.parsePFNs)
  var range: Range<PFN>?

  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup(title: "Common options") var common: CommonOptions
  @OptionGroup(title: "Common options") var threads: ThreadOptions

  private struct Report: Encodable {
    struct Flat: Encodable {
      var firstPFN: PFN
      var pages: Int
      var sha256: String
    }
    var checkpointID: String
    var memoryDigest: String
    var flat: Flat?
  }

  func validate() throws {
    if sha256 && range != nil {
      throw ValidationError("--sha256 and --range exclude each other: --range is a SHA-256 too")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    let images = try chain.open(tip)
    var report = Report(
      checkpointID: images.checkpointID.hex, memoryDigest: images.tip.root.memory.hex)
    if sha256 || range != nil {
      let progress = ProgressLine("hashing", quiet: common.quiet)
      let pages = if let range { range } else { 0..<(try MemoryWalk.end(of: images)) }
      let digest = try FlatDigest.compute(
        pages, of: images, on: threads.pool, progress: progress.update)
      progress.end()
      report.flat = Report.Flat(
        firstPFN: pages.lowerBound, pages: pages.count, sha256: digest.hex)
    }
    if common.json {
      try Results.printJSON(report)
    } else {
      try Results.print(report.flat?.sha256 ?? report.memoryDigest)
    }
    return .success
  }
}
