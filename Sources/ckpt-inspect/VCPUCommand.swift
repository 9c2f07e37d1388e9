import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Formats

struct VCPUCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "vcpu", abstract: "Show the registers of the guest's processors.")

  @Argument(help: "The image; its ancestors are found. - is standard input.", completion: .file())
  var tip: String

  @Flag(help: "Print results as JSON.") var json = false
  @OptionGroup(title: "Chain") var chain: ChainOptions

  func execute() throws(CheckpointError) -> ExitStatus {
    let images = try chain.open(tip)
    let processors: [VCPU]
    do throws(CheckpointError) {
      processors = try VCPU.all(in: images.completeRecords())
    } catch {
      throw error.inFile(images.tip.name)
    }
    guard !processors.isEmpty else {
      throw CheckpointError(
        .refused, "the image has no records of processors: plain memory has no registers",
        file: images.tip.name)
    }
    if json {
      try Results.printJSON(processors.map(\.value))
      return .success
    }
    var output = ResultStream()
    for processor in processors {
      for line in processor.lines { try output.print(line) }
    }
    try output.flush()
    return .success
  }
}

extension VCPU {
  /// Four registers or one segment per line.
  fileprivate var lines: [String] {
    var lines = ["vCPU \(id)"]
    for group in [general, control, tables, system, debug] {
      for start in stride(from: 0, to: group.count, by: 4) {
        let line = group[start..<min(start + 4, group.count)]
        lines.append("  " + line.map { "\($0.name) \(digits($0.value))" }.joined(separator: "  "))
      }
    }
    for segment in segments {
      var line = "  \(segment.name) selector \(Hexadecimal.string(segment.selector))"
      if let base = segment.base { line += " base \(Hexadecimal.string(base))" }
      if let limit = segment.limit { line += " limit \(Hexadecimal.string(limit))" }
      if let rights = segment.attributes { line += " attributes \(Hexadecimal.string(rights))" }
      lines.append(line)
    }
    for msr in msrs {
      lines.append("  msr \(Hexadecimal.string(msr.index)) \(Hexadecimal.string(msr.value))")
    }
    return lines
  }

  private func digits(_ value: UInt64) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, 16 - text.count)) + text
  }
}
