import ArgumentParser
import CheckpointChain
import CheckpointImage
import CommandLineSupport

struct ChainCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "chain", abstract: "Show an image and all its ancestors, youngest first.")

  @Argument(help: "The youngest image; - is standard input.", completion: .file())
  var tip: String

  @OptionGroup(title: "Chain") var chain: ChainOptions
  @Flag(help: "Print results as JSON.") var json = false

  func execute() throws(CheckpointError) -> ExitStatus {
    var images: [ImageDescription] = []
    for image in try ChainResolver.images(tip, searching: chain.folders) {
      images.append(try ImageDescription(image))
    }
    if json {
      try Results.printJSON(images)
    } else {
      for image in images {
        try Results.print(
          "\(image.kind) \(image.image.line)\(image.moment.map { ", \($0)" } ?? "")")
      }
    }
    return .success
  }
}
