import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Inspection
import Storage

struct SearchCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Find bytes or a text in the memory.",
    discussion: "Exit status 0 means found, 1 not found.")

  @Argument(help: "The image; its ancestors are found. - is standard input.", completion: .file())
  var tip: String

  @Option(
    help: ArgumentHelp("Find these bytes, such as deadbeef.", valueName: "digits"),
    transform: parseHexadecimal)
  var hex: [UInt8]?

  @Option(help: ArgumentHelp("Find this text in UTF-8, and so in ASCII.", valueName: "text"))
  var text: String?

  @Option(help: ArgumentHelp("Find this text in UTF-16, little-endian.", valueName: "text"))
  var utf16: String?

  @Flag(help: "Print only how many matches there are.") var count = false

  @Option(
    help: ArgumentHelp("Show this many bytes before and after each match.", valueName: "bytes"))
  var context: Int?

  @Option(
    help: ArgumentHelp("Only in these pages, such as 0x100-0x1ff.", valueName: "first-last"),
    transform: Number.parsePFNs)
  var range: Range<PFN>?

  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup(title: "Common options") var common: CommonOptions
  @OptionGroup(title: "Common options") var threads: ThreadOptions

  /// Status 1 means not found, so errors have another one.
  static func status(of error: CheckpointError) -> ExitStatus { .failure }

  private struct Report: Encodable {
    var address: UInt64
    var pfn: PFN
    var contextAddress: UInt64?
    var context: String?
  }

  private struct CountReport: Encodable {
    var matches: UInt64
  }

  private static func parseHexadecimal(_ text: String) throws -> [UInt8] {
    guard let bytes = Hexadecimal.bytes(text), !bytes.isEmpty else {
      throw ValidationError(
        "'\(text)' is not hexadecimal text: two digits per byte, such as deadbeef")
    }
    return bytes
  }

  private var pattern: [UInt8] {
    hex ?? text.map { Array($0.utf8) }
      ?? utf16.map { $0.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] } } ?? []
  }

  func validate() throws {
    guard [hex != nil, text != nil, utf16 != nil].count(where: { $0 }) == 1 else {
      throw ValidationError("exactly one of --hex, --text and --utf16 is needed")
    }
    guard (1...PatternSearch.longestPattern).contains(pattern.count) else {
      throw ValidationError("the pattern has to have 1 to \(PatternSearch.longestPattern) bytes")
    }
    guard (0...65536).contains(context ?? 0) else {
      throw ValidationError("--context takes a number from 0 to 65536")
    }
    if count && context != nil {
      throw ValidationError("--count and --context exclude each other")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    let images = try chain.open(tip)
    let progress = ProgressLine("searching", quiet: common.quiet)
    let window = MemoryWindow(images)
    let pattern = pattern
    var matches: UInt64 = 0
    var list = JSONList()
    var output = ResultStream()
    let search = PatternSearch(pattern) { (address) throws(CheckpointError) in
      matches += 1
      if count { return }
      var report = Report(address: address, pfn: address >> UInt64(Limits.pageShift))
      var bytes: [UInt8] = []
      if let range = surroundings(of: address, pattern.count) {
        bytes = try window.bytes(range)
        report.contextAddress = range.address
        report.context = Hexadecimal.string(bytes)
      }
      guard !common.json else { return try list.add(report) }
      try output.print("\(Hexadecimal.string(address)) PFN \(Hexadecimal.string(report.pfn))")
      if let start = report.contextAddress {
        try HexDump.print(bytes, at: start, to: &output)
        try output.print("")
      }
    }
    try MemoryWalk.run(
      range ?? 0..<Limits.pfnEnd, of: images, on: threads.pool, [search], progress: progress.update)
    progress.end()
    switch (common.json, count) {
    case (true, true): try Results.printJSON(CountReport(matches: matches))
    case (true, false): try list.end()
    case (false, true): try Results.print("\(matches)")
    case (false, false): try output.flush()
    }
    return matches > 0 ? .success : .no
  }

  private func surroundings(of address: UInt64, _ length: Int) -> MemoryRange? {
    guard let context else { return nil }
    let start = address - min(address, UInt64(context))
    let behind = min(UInt64(context), UInt64.max - (address + UInt64(length - 1)))
    return MemoryRange(address: start, length: address - start + UInt64(length) + behind)
  }
}
