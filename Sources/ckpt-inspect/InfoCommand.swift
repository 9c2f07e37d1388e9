import ArgumentParser
import CheckpointCodec
import CheckpointImage
import CommandLineSupport

struct InfoCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Show one image: identities, pages, records, history.")

  @Argument(help: "The image; - is standard input.", completion: .file())
  var image: String

  @Flag(help: "Print results as JSON.") var json = false

  func execute() throws(CheckpointError) -> ExitStatus {
    let file = try openImage(image)
    var description = try ImageDescription(file)
    try description.countEvicted(file)
    if json {
      try Results.printJSON(description)
    } else {
      for line in description.lines { try Results.print(line) }
    }
    return .success
  }
}
