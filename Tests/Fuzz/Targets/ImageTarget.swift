internal import CheckpointImage

enum ImageTarget {
  private static let checks = ChainChecks(scratch: Scratch(.image))

  static func run(_ input: [UInt8]) -> Outcome {
    do throws(CheckpointError) {
      try checks.scratch.write(SealedImage(input).bytes, as: "image")
      return checks.run("image")
    } catch {
      return .broken("\(error)")
    }
  }
}
