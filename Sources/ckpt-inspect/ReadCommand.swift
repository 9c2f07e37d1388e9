import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Inspection

struct ReadCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "read", abstract: "Show the bytes of a range of guest-physical addresses.")

  @Argument(help: "The image; its ancestors are found. - is standard input.", completion: .file())
  var tip: String

  @Option(
    help: ArgumentHelp("The first byte's address, such as 4096 or 0x1000.", valueName: "address"),
    transform: Number.parse)
  var address: UInt64

  @Option(
    help: ArgumentHelp("The number of bytes.", valueName: "bytes"), transform: Number.parse)
  var length: UInt64

  @Flag(help: "Write the bytes as they are.") var raw = false
  @Flag(help: "Print results as JSON.") var json = false
  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup var threads: ThreadOptions

  func validate() throws {
    if raw && json { throw ValidationError("--raw and --json exclude each other") }
    guard MemoryRange(address: address, length: length) != nil else {
      throw ValidationError(
        length == 0 ? "--length takes at least 1" : "the range ends beyond the last address")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    guard let range = MemoryRange(address: address, length: length) else { return .failure }
    let images = try chain.open(tip)
    let writer: any RangeWriter =
      if raw { try RawRangeWriter() } else if json { JSONRangeWriter() } else {
        HexRangeWriter(address)
      }
    var gaps = GapNotes(silent: json)
    try writer.begin(range)
    try MemoryReader.read(
      range, of: images, on: threads.pool, bytes: writer.write, zeros: writer.writeZeros,
      gap: { gaps.add($0) })
    gaps.end()
    try writer.end(gaps)
    return .success
  }
}
