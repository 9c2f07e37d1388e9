import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import GuestMemory
import Inspection

struct GuestCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "guest",
    abstract: "Show which Linux guest it is, and what it uses its memory for.")

  @Argument(help: "The image; - is standard input.", completion: .file())
  var image: String

  @OptionGroup(title: "Chain") var chain: ChainOptions
  @Flag(help: "Print results as JSON.") var json = false

  func execute() throws(CheckpointError) -> ExitStatus {
    let memory = try ClassifiedMemory(chain.open(image))
    let report = try GuestReport(memory)
    if json {
      try Results.printJSON(report)
    } else {
      for line in report.lines { try Results.print(line) }
    }
    return .success
  }
}
