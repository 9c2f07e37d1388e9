internal import CheckpointCodec
internal import CheckpointImage
internal import ImageJSON
import Storage

enum JSONTarget {
  private static let scratch = Scratch(.json)

  /// Behind a first byte of 0 is JSON; else a damaged image (see `DamagedImage`).
  static func run(_ input: [UInt8]) -> Outcome {
    guard let first = input.first else { return .refused }
    let rest = Array(input.dropFirst())
    do throws(CheckpointError) {
      return first == 0 ? try encode(rest) : try decode(DamagedImage(rest).bytes)
    } catch {
      return error.kind == .io ? .broken("\(error)") : .refused
    }
  }

  private static func encode(_ json: [UInt8]) throws(CheckpointError) -> Outcome {
    var reader = SegmentFormReader(InputStream(MemoryOrigin(json)))
    var encoder = ImageEncoder(to: try scratch.output("image"))
    while let form = try reader.read() { try encoder.add(form) }
    return .accepted
  }

  private static func decode(_ image: [UInt8]) throws(CheckpointError) -> Outcome {
    try scratch.write(image, as: "image")
    var decoder = try ImageDecoder(LocalFile(scratch.path("image")))
    do throws(CheckpointError) {
      let output = try scratch.output("restored")
      var encoder = ImageEncoder(to: output)
      while let form = try decoder.next() { try encoder.add(form) }
      try output.commit()
      return try scratch.bytes("restored") == image
        ? .accepted : .broken("encoded as another image")
    } catch {
      return .broken("decoded, but \(error)")
    }
  }
}
