public import ArgumentParser
internal import CheckpointChain
public import CheckpointCodec
public import CheckpointImage
public import Pictures

/// Options of tools that draw a map of a guest's memory.
public struct PictureOptions: ParsableArguments {
  /// A PNG file.
  @Option(
    help: ArgumentHelp("Draw a picture in this PNG file; - is standard output.", valueName: "file"),
    completion: .file())
  public var png: String?

  /// An SVG file.
  @Option(
    help: ArgumentHelp("Draw a picture in this SVG file; - is standard output.", valueName: "file"),
    completion: .file())
  public var svg: String?

  /// Replace an existing file.
  @Flag(help: "Replace an existing file.")
  public var force = false

  /// Makes the options.
  public init() {}

  /// Refuses impossible combinations.
  public func validate() throws {
    if png == "-" && svg == "-" {
      throw ValidationError("standard output can be used only once")
    }
  }

  /// Whether a picture was asked for.
  public var isWanted: Bool { png != nil || svg != nil }
  /// Whether a picture goes to standard output.
  public var takesStandardOutput: Bool { png == "-" || svg == "-" }

  /// An empty map for a picture of the blocks given.
  public func map(of blocks: [UInt64], _ legend: Legend) -> PageMap {
    PageMap(blocks: blocks, legend: legend, columns: MapDrawing.columns, limit: MapDrawing.rows)
  }

  /// Draws the pictures that were asked for. They replace none of the images that were drawn.
  public func draw(_ map: PageMap, titles: [String], of images: [ImageFile])
    throws(CheckpointError)
  {
    let drawing = MapDrawing(map, titles: titles.map(\.printable))
    if let png { try write(drawing.png(), to: png, images) }
    if let svg { try write(drawing.svg(), to: svg, images) }
  }

  private func write(_ bytes: [UInt8], to path: String, _ images: [ImageFile])
    throws(CheckpointError)
  {
    let output = try OutputFile(path, force: force, sync: true)
    try Chain.check(images, stayBehind: output)
    try output.write(bytes)
    try output.commit()
  }
}
