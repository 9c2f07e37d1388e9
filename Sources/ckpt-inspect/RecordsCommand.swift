import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Formats
import Storage

struct RecordsCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "records", abstract: "Show the decoded records of the machine state.")

  @Argument(help: "The image; its ancestors are found. - is standard input.", completion: .file())
  var tip: String

  @Option(
    help: ArgumentHelp("Show only this record; the first is 0.", valueName: "number"))
  var record: Int?

  @Flag(help: "Write the bytes as they are.") var raw = false
  @Flag(help: "Print results as JSON.") var json = false
  @OptionGroup(title: "Chain") var chain: ChainOptions

  private struct Report: Encodable {
    var number: Int
    var namespace: String
    var type: UInt32
    var name: String
    var recordClass: String
    var length: UInt64
    var digest: String
    var contents: RecordValue?
    var problem: String?

    var line: String {
      "\(number): \(namespace) \(name), \(recordClass), \(length) bytes"
    }
  }

  func validate() throws {
    if raw && record == nil { throw ValidationError("--raw needs --record") }
    if raw && json { throw ValidationError("--raw and --json exclude each other") }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    let images = try chain.open(tip)
    let records = try images.completeRecords()
    if let record, !records.indices.contains(record) {
      throw CheckpointError(
        .refused, "there is no record \(record): the image has \(records.count)",
        file: images.tip.name)
    }
    if raw, let record {
      let output = try openStandardOutput()
      try output.write(records[record].payload ?? [])
      return .success
    }
    let wanted = record.map { $0..<$0 + 1 } ?? records.indices
    let decoded = DecodedRecord.decode(records)
    let reports = wanted.map { report($0, records[$0], decoded[$0]) }
    if json {
      try Results.printJSON(reports)
      return .success
    }
    var output = ResultStream()
    for report in reports {
      try output.print(report.line)
      for line in report.contents?.lines("   ") ?? [] { try output.print(line) }
      if let problem = report.problem { try output.print("   not understood: \(problem)") }
    }
    try output.flush()
    return .success
  }

  private func report(
    _ number: Int, _ record: MachineRecord, _ decoded: Result<RecordValue?, CheckpointError>
  ) -> Report {
    let key = record.key
    var report = Report(
      number: number, namespace: "\(key.namespace)", type: key.type, name: RecordName.text(record),
      recordClass: key.class.name, length: key.length, digest: key.digest.hex)
    switch decoded {
    case .success(let value): report.contents = value
    case .failure(let error): report.problem = "\(error)"
    }
    return report
  }
}
