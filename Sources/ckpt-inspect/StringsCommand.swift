import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
package import Inspection

extension StringSearch.Encoding: ExpressibleByArgument {}

struct StringsCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "strings", abstract: "Find runs of printable characters, as strings(1) does.")

  @Argument(help: "The image; its ancestors are found. - is standard input.", completion: .file())
  var tip: String

  @Option(
    name: [.customShort("n"), .long],
    help: ArgumentHelp("The fewest characters of a run (default: 4).", valueName: "count"))
  var bytes = 4

  @Option(
    help: ArgumentHelp(
      "Find ascii or utf-16le; both if it is not given.", valueName: "encoding"))
  var encoding: StringSearch.Encoding?

  @Option(
    help: ArgumentHelp("Only in these pages, such as 0x100-0x1ff.", valueName: "first-last"),
    transform: Number.parsePFNs)
  var range: Range<PFN>?

  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup(title: "Common options") var common: CommonOptions
  @OptionGroup(title: "Common options") var threads: ThreadOptions

  private struct Report: Encodable {
    var address: UInt64
    var encoding: String
    var text: String
  }

  func validate() throws {
    guard (1...4096).contains(bytes) else {
      throw ValidationError("-n takes a number from 1 to 4096")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    let images = try chain.open(tip)
    let progress = ProgressLine("searching", quiet: common.quiet)
    var list = JSONList()
    var output = ResultStream()
    func show(_ found: StringSearch.Found) throws(CheckpointError) {
      if common.json {
        try list.add(
          Report(
            address: found.address, encoding: found.encoding.rawValue, text: found.text))
      } else {
        // Contains no control characters except tabs, which are harmless.
        try output.write("\(Hexadecimal.string(found.address)) \(found.text)\n")
      }
    }
    let searches = (encoding.map { [$0] } ?? StringSearch.Encoding.allCases).map {
      StringSearch($0, atLeast: bytes, found: show)
    }
    try MemoryWalk.run(
      range ?? 0..<Limits.pfnEnd, of: images, on: threads.pool, searches,
      progress: progress.update)
    for search in searches { try search.finish() }
    progress.end()
    if common.json { try list.end() } else { try output.flush() }
    return .success
  }
}
