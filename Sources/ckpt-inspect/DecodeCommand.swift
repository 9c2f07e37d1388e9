import ArgumentParser
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import ImageJSON
import Storage

struct DecodeCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Print an image as JSON, from which encode restores it.",
    discussion: """
      Checksums, lengths and offsets that follow from the rest are left out, so that encode derives them \
      again after a change.
      """)

  @Argument(help: "The image, which may be damaged; - is standard input.", completion: .file())
  var image: String

  func execute() throws(CheckpointError) -> ExitStatus {
    var decoder = try ImageDecoder(openStorage(image))
    var list = JSONList(isIndented: true)
    while let segment = try decoder.next() { try list.add(segment) }
    try list.end()
    return .success
  }
}
