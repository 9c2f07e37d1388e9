import ArgumentParser
import CheckpointCodec
import CheckpointImage
import CommandLineSupport

struct InfoCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Show one image: identities, pages, records, history.")

  @Argument(help: "The image; - is standard input.", completion: .file())
  var image: String

  @OptionGroup(title: "Common options") var common: CommonOptions

  func execute() throws(CheckpointError) -> ExitStatus {
    let description = try ImageDescription(ImageFile(image))
    if common.json {
      try Results.printJSON(description)
    } else {
      for line in description.lines { try Results.print(line) }
    }
    return .success
  }
}
