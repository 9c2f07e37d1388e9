import CheckpointChain
import CheckpointImage
import CommandLineSupport

/// Shows differences one by one: there may be more of them than fit into memory.
protocol DifferenceWriter: AnyObject {
  func begin() throws(CheckpointError)
  func write(_ range: Difference.Range) throws(CheckpointError)
  func end(_ difference: Difference) throws(CheckpointError)
}

/// A line for each range, the sum on standard error.
final class TextDifferenceWriter: DifferenceWriter {
  private let quiet: Bool
  private var output = ResultStream()

  init(quiet: Bool) { self.quiet = quiet }

  func begin() {}

  func write(_ range: Difference.Range) throws(CheckpointError) {
    let last = range.count == 1 ? "" : "-\(Hexadecimal.string(range.pfn + range.count - 1))"
    let change =
      range.before == range.after ? "\(range.after)" : "\(range.before) -> \(range.after)"
    try output.print("\(Hexadecimal.string(range.pfn))\(last) \(range.count) \(change)")
  }

  func end(_ difference: Difference) throws(CheckpointError) {
    try output.flush()
    guard !quiet else { return }
    Message.print(
      "\(Count.text(difference.pages, "page")) differ in "
        + "\(Count.text(difference.ranges, "range")); machine state "
        + (difference.machineStateDiffers ? "differs" : "is the same"))
  }
}

/// One JSON object; its texts are numbers and names of states, which need no escapes.
final class JSONDifferenceWriter: DifferenceWriter {
  private let before: Chain
  private let after: Chain
  private var output = ResultStream()
  private var isFirst = true

  init(_ before: Chain, _ after: Chain) {
    self.before = before
    self.after = after
  }

  func begin() throws(CheckpointError) {
    try output.print("{")
    try output.print("  \"after\" : \"\(after.checkpointID.hex)\",")
    try output.print("  \"before\" : \"\(before.checkpointID.hex)\",")
    try output.print("  \"ranges\" : [")
  }

  func write(_ range: Difference.Range) throws(CheckpointError) {
    let fields =
      "\"pfn\" : \(range.pfn), \"count\" : \(range.count), "
      + "\"before\" : \"\(range.before)\", \"after\" : \"\(range.after)\""
    try output.print("  \(isFirst ? " " : ",") { \(fields) }")
    isFirst = false
  }

  func end(_ difference: Difference) throws(CheckpointError) {
    try output.print("  ],")
    try output.print("  \"differingPages\" : \(difference.pages),")
    try output.print("  \"sameMachineState\" : \(!difference.machineStateDiffers),")
    try output.print("  \"sameMemory\" : \(difference.pages == 0)")
    try output.print("}")
    try output.flush()
  }
}
