import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Pictures

struct MapCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "map", abstract: "Show the states of all pages as a picture.",
    discussion: "Without --png, --svg and --json the picture is made of characters.")

  @Argument(help: "The image; - is standard input.", completion: .file())
  var image: String

  @Flag(help: "Show what the image itself says, without its ancestors.") var own = false

  @OptionGroup(title: "Picture") var pictures: PictureOptions
  @OptionGroup(title: "Chain") var chain: ChainOptions
  @Flag(help: "Print runs of pages with the same state as JSON.") var json = false

  func validate() throws {
    if json && pictures.isWanted {
      throw ValidationError("--json cannot be used with --png and --svg")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    let source = try MapSource(image, own: own, searching: chain.folders)
    if json {
      try printRuns(source)
    } else if pictures.isWanted {
      var map = pictures.map(of: source.blocks, source.legend)
      try source.fill(&map)
      try pictures.draw(map, titles: [source.title], of: source.images)
    } else {
      try printMap(source)
    }
    return .success
  }

  private struct Run: Encodable {
    var pfn: PFN
    var count: Int
    var state: String
    var type: PageType?
    var reason: String?
  }

  private func printRuns(_ source: MapSource) throws(CheckpointError) {
    var list = JSONList()
    try source.forEachRun { (pages, status) throws(CheckpointError) in
      try list.add(
        Run(
          pfn: pages.lowerBound, count: pages.count, state: "\(status.state)",
          type: status.type == 0 ? nil : status.type,
          reason: status.reason == .none ? nil : "\(status.reason)"))
    }
    try list.end()
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

/// Where the states come from: a moment, or one image by itself.
private struct MapSource {
  private let tip: ImageFile
  private let chain: Chain?

  init(_ path: String, own: Bool, searching folders: [String]) throws(CheckpointError) {
    chain = own ? nil : try ChainResolver.open(path, searching: folders)
    if let chain { tip = chain.tip } else { tip = try ImageFile(path) }
  }

  var images: [ImageFile] { chain?.images ?? [tip] }

  var title: String {
    let ancestors = (chain?.images.count ?? 1) - 1
    let file = tip.name + (ancestors == 0 ? "" : " and \(Count.text(ancestors, "ancestor"))")
    return "\(file), checkpoint \(tip.root.checkpointID)"
      + (chain == nil ? ", this image alone" : "")
  }

  var legend: Legend { .states(ofIncrement: chain == nil && tip.header.parent != nil) }

  var blocks: [UInt64] { chain?.nodes.map(\.block) ?? tip.blockNumbers }

  func forEachRun(
    _ body: @escaping (Range<PFN>, PageStatus) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    if let chain {
      try StatusRuns.forEach(of: chain, body)
    } else {
      try StatusRuns.forEach(of: tip, body)
    }
  }

  func fill(_ map: inout PageMap) throws(CheckpointError) {
    var filled = map
    let legend = map.legend
    try forEachRun { (pages, status) throws(CheckpointError) in
      filled.add(pages, kind: legend.index(of: status.state))
    }
    map = filled
  }
}
