import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import GuestMemory
import Pictures

/// What a map distinguishes.
enum MapKind: String, CaseIterable, ExpressibleByArgument {
  case state
  case `class`
}

struct MapCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "map", abstract: "Show the states or the uses of all pages as a picture.",
    discussion: "Without --png, --svg and --json the picture is made of characters.")

  @Argument(help: "The image; - is standard input.", completion: .file())
  var image: String

  @Flag(help: "Show only what the image itself holds, without its ancestors.") var own = false

  @Option(
    help: ArgumentHelp(
      "Distinguish pages by state, or by class: what a Linux guest uses them for.",
      valueName: "what"))
  var by = MapKind.state

  @OptionGroup(title: "Picture") var pictures: PictureOptions
  @OptionGroup(title: "Chain") var chain: ChainOptions
  @Flag(help: "Print runs of pages that are alike as JSON.") var json = false

  func validate() throws {
    if json && pictures.isWanted {
      throw ValidationError("--json cannot be used with --png and --svg")
    }
    if own && by == .class {
      throw ValidationError("--by class needs the whole moment: not with --own")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    let source = try MapSource(image, by, own: own, chain)
    if json {
      var list = JSONList()
      try source.printRuns(&list)
      try list.end()
    } else if pictures.isWanted {
      var map = pictures.map(of: source.blocks, source.legend)
      try source.fill(&map)
      try pictures.draw(map, titles: [source.title], of: source.images)
    } else {
      try printMap(source)
    }
    return .success
  }

  private func printMap(_ source: MapSource) throws(CheckpointError) {
    var map = PageMap(
      blocks: source.blocks, legend: source.legend,
      columns: TerminalMap.columns(width: Terminal.width), limit: TerminalMap.rows)
    try source.fill(&map)
    let palette: TerminalMap.Palette =
      Terminal.hasAllColors ? .full : Terminal.hasColors ? .indexed : .letters
    var output = ResultStream()
    try output.print(source.title)
    for line in TerminalMap(map, palette).lines { try output.write(line + "\n") }
    try output.flush()
  }
}
