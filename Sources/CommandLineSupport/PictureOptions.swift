package import ArgumentParser
internal import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Pictures
internal import Storage

/// Options of tools that draw a map of guest memory.
package struct PictureOptions: ParsableArguments {
  /// The path of the PNG file; nil for none.
  @Option(
    help: ArgumentHelp("Draw a picture in this PNG file; - is standard output.", valueName: "file"),
    completion: .file())
  package var png: String?

  /// The path of the SVG file; nil for none.
  @Option(
    help: ArgumentHelp("Draw a picture in this SVG file; - is standard output.", valueName: "file"),
    completion: .file())
  package var svg: String?

  /// Replace existing files.
  @Flag(help: "Replace an existing file.")
  package var force = false

  /// Options without values, which ArgumentParser fills in.
  package init() {}

  /// Rejects two pictures on standard output.
  package func validate() throws {
    if png == "-" && svg == "-" {
      throw ValidationError("standard output can be used only once")
    }
  }

  /// Whether a picture was requested.
  package var isWanted: Bool { png != nil || svg != nil }
  /// Whether a picture goes to standard output.
  package var takesStandardOutput: Bool { png == "-" || svg == "-" }

  /// An empty map for a picture of the blocks given.
  package func map(of blocks: [BlockNumber], _ legend: Legend) -> PageMap {
    PageMap(blocks: blocks, legend: legend, columns: MapDrawing.columns, limit: MapDrawing.rows)
  }

  /// Draws the requested pictures. They must not replace any of `images`.
  package func draw(_ map: PageMap, titles: [String], of images: [ImageFile])
    throws(CheckpointError)
  {
    let drawing = MapDrawing(map, titles: titles.map(\.printable))
    if let png { try write(drawing.png(), to: png, images) }
    if let svg { try write(drawing.svg(), to: svg, images) }
  }

  private func write(_ bytes: [UInt8], to path: String, _ images: [ImageFile])
    throws(CheckpointError)
  {
    let output = try openOutput(path, force: force, sync: true)
    try Chain.check(images, stayBehind: output)
    try output.write(bytes)
    try output.commit()
  }
}
