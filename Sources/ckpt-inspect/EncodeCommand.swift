import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import ImageJSON
import Storage

struct EncodeCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "encode", abstract: "Make an image from the JSON that decode printed.",
    discussion: "Only what must be understood is checked: use ckpt-verify for the rest.")

  @Argument(help: "The JSON; - is standard input.", completion: .file())
  var json: String

  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Common options") var common: CommonOptions

  private struct Report: Encodable {
    var file: String
    var bytes: UInt64
    var segments: UInt64
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    var reader = try SegmentFormReader(
      InputStream(json, cancellation: Signals.cancellation))
    let file = try output.open()
    var encoder = ImageEncoder(to: file)
    while let segment = try reader.read() {
      do throws(CheckpointError) {
        try encoder.add(segment)
      } catch {
        // Other errors are about the JSON: they name the segment there, not an offset in the image.
        guard error.kind == .io || error.kind == .interrupted else {
          throw CheckpointError(
            .refused, error.reason, structure: "segment \(encoder.segments)", file: reader.name)
        }
        throw error
      }
    }
    try checkStays(file)
    try file.commit()
    let report = Report(file: file.name, bytes: encoder.bytes, segments: encoder.segments)
    if common.json && output.output != "-" {
      try Results.printJSON(report)
    } else if !common.quiet {
      Message.print(
        "\(report.file): \(ByteCount.text(report.bytes)), \(Count.text(report.segments, "segment"))"
      )
    }
    return .success
  }

  /// Fails if the output would replace an ancestor of the image in it. Of an image that is damaged on purpose, none may
  /// be known.
  private func checkStays(_ file: any ByteSink) throws(CheckpointError) {
    guard file.replaced != nil,
      let image = try? ImageFile(file.reopened(), cancellation: Signals.cancellation)
    else { return }
    var resolver = ChainResolver(
      try openFinder(of: output.output), cancellation: Signals.cancellation)
    try Chain.check(resolver.ancestors(of: image).images, stayBehind: file)
  }
}
