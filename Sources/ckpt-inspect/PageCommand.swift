import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Inspection
import Storage

struct PageCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "page", abstract: "Show one page: its state, where it is stored, its contents.")

  @Argument(help: "The image; its ancestors are found. - is standard input.", completion: .file())
  var tip: String

  @Argument(help: "The page's number, such as 4096 or 0x1000.", transform: Number.parsePFN)
  var pfn: PFN

  @Flag(help: "Write the bytes as they are.") var raw = false
  @Flag(help: "Print results as JSON.") var json = false
  @OptionGroup(title: "Chain") var chain: ChainOptions

  private struct Report: Encodable {
    var pfn: PFN
    var address: UInt64
    var state: String
    var type: String
    var reason: String?
    var digest: String?
    var image: String?
    var checkpointID: String?
    var regionOffset: UInt64?
    var slot: UInt8?
    var contents: String?
  }

  func validate() throws {
    if raw && json { throw ValidationError("--raw and --json exclude each other") }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    let page = try PageDescription(
      pfn, of: chain.open(tip))
    let isKnown = [.data, .zero].contains(page.entry.status.state)
    if raw {
      let output = try openStandardOutput()
      try output.write(page.bytes)
      if !isKnown { Message.print("\(toolName): shown as zeros: \(page.entry.status.state)") }
      return .success
    }
    let report = report(page)
    if json {
      try Results.printJSON(report)
      return .success
    }
    var output = ResultStream()
    try output.print("PFN       \(Hexadecimal.string(page.pfn)) (\(page.pfn))")
    try output.print("address   \(Hexadecimal.string(report.address))")
    try output.print("state     \(report.state)\(report.reason.map { ", \($0)" } ?? "")")
    try output.print("type      \(report.type)")
    if let digest = report.digest { try output.print("digest    \(digest)") }
    try output.print("image     \(report.image ?? "none describes it")")
    if let offset = report.regionOffset, let slot = report.slot {
      try output.print("stored    region at byte \(offset), slot \(slot)")
    }
    if isKnown { try HexDump.print(page.bytes, at: report.address, to: &output) }
    try output.flush()
    return .success
  }

  private func report(_ page: PageDescription) -> Report {
    let entry = page.entry
    var report = Report(
      pfn: page.pfn, address: page.pfn << UInt64(Limits.pageShift), state: "\(entry.status.state)",
      type: PageTypeName.text(entry.status.type), image: page.image?.name,
      checkpointID: page.image?.root.checkpointID.hex)
    if entry.status.reason != .none { report.reason = "\(entry.status.reason)" }
    if entry.status.state == .data {
      report.digest = entry.digest.hex
      report.regionOffset = entry.location.offset
      report.slot = entry.location.slot
      report.contents = Hexadecimal.string(page.bytes)
    }
    return report
  }
}
