internal import CheckpointImage

enum ChainTarget {
  private static let checks = ChainChecks(scratch: Scratch(.chain))

  /// The length of the base's input in 16 bits, that input, and the increment's.
  static func run(_ input: [UInt8]) -> Outcome {
    guard input.count >= 2 else { return .refused }
    let length = Int(input[0]) | Int(input[1]) << 8
    let base = SealedImage(Array(input.dropFirst(2).prefix(length)))
    let increment = SealedImage(Array(input.dropFirst(2 + length)), parent: base)
    do throws(CheckpointError) {
      try checks.scratch.write(base.bytes, as: "base")
      try checks.scratch.write(increment.bytes, as: "increment")
      return checks.run("increment")
    } catch {
      return .broken("\(error)")
    }
  }
}
