import ArgumentParser
import CheckpointChain
import CheckpointImage
import CommandLineSupport

struct ChainCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "chain",
    abstract: "Show an image and all its ancestors: what each one adds, and what all take.")

  @Argument(help: "The youngest image; - is standard input.", completion: .file())
  var tip: String

  @OptionGroup(title: "Chain") var chain: ChainOptions
  @Flag(help: "Print results as JSON.") var json = false

  func execute() throws(CheckpointError) -> ExitStatus {
    var images: [ImageDescription] = []
    for image in try chain.images(tip) { images.append(try ImageDescription(image)) }
    if json {
      try Results.printJSON(images)
    } else {
      var output = ResultStream()
      for (depth, image) in images.enumerated() {
        try output.print(Self.branch(depth) + image.chainLine)
      }
      let bytes = images.reduce(0) { $0 + $1.image.bytes }
      try output.print("\(Count.text(images.count, "image")), \(ByteCount.text(bytes))")
      try output.flush()
    }
    return .success
  }

  /// The branch from a child to its parent; its depth is limited for long chains.
  private static func branch(_ depth: Int) -> String {
    guard depth > 0 else { return "" }
    return String(repeating: "   ", count: min(depth, 10) - 1) + "└─ "
  }
}
