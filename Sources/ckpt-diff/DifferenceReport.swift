import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Formats
import Storage

/// The summary of a comparison.
struct DifferenceReport: Encodable {
  struct Moment: Encodable {
    var file: String
    var checkpointID: String
    var images: Int

    init(_ chain: Chain) {
      file = chain.tip.name
      checkpointID = chain.checkpointID.hex
      images = chain.images.count
    }

    var line: String {
      let others = images == 1 ? "" : " and \(Count.text(images - 1, "ancestor"))"
      return "\(file)\(others), checkpoint \(checkpointID.prefix(16))"
    }
  }

  struct Change: Encodable {
    var pages: UInt64
    var how: ChangeReport
    private var text: String

    private enum CodingKeys: CodingKey { case pages, how }

    init(_ change: PageChange, pages: UInt64) {
      self.pages = pages
      how = ChangeReport(change)
      text = change.text
    }

    var line: String { "\(DifferenceReport.right(pages, 12))  \(text)" }
  }

  /// Pages by the number of changed bytes.
  struct Bin: Encodable {
    var from: Int
    var to: Int
    var pages: UInt64
  }

  struct Contents: Encodable {
    var pages: UInt64
    var bytes: UInt64
    var histogram: [Bin]
  }

  var before: Moment
  var after: Moment
  var sameMemory: Bool
  var sameMachineState: Bool
  var differingPages: UInt64
  var runs: UInt64
  var differingBlocks: Int
  var blocks: Int
  /// The number of pages by kind of difference, most frequent first.
  var changes: [Change]
  /// The parts of the machine state that differ.
  var records: [String]
  var contents: Contents?
  /// The classes of pages, if they were requested.
  var classes: [ClassReport]?
  /// Signs that these are different guests.
  var otherGuest: [String]
  var bytesRead: UInt64
  var bytesOfImages: UInt64

  init(
    _ pair: ChainPair, _ difference: Difference, _ guest: GuestComparison, _ bytes: ChangedBytes?
  ) throws(CheckpointError) {
    before = Moment(pair.before)
    after = Moment(pair.after)
    sameMemory = difference.pages == 0
    sameMachineState = !guest.machineStateDiffers
    differingPages = difference.pages
    runs = difference.runs
    differingBlocks = difference.blocks
    blocks = pair.blocks.count
    let counts = difference.changes.map { (pages: $0.value, change: $0.key, text: $0.key.text) }
    changes = counts.sorted { $0.pages == $1.pages ? $0.text < $1.text : $0.pages > $1.pages }
      .map { Change($0.change, pages: $0.pages) }
    records = try Self.names(of: guest.records, in: pair)
    contents = bytes.map { bytes in
      let starts = [1] + ChangedBytes.ends.dropLast().map { $0 + 1 }
      return Contents(
        pages: bytes.pages, bytes: bytes.bytes,
        histogram: zip(zip(starts, ChangedBytes.ends), bytes.bins).map {
          Bin(from: $0.0, to: $0.1, pages: $1)
        })
    }
    otherGuest = guest.foreign
    bytesRead = pair.bytesRead
    bytesOfImages = pair.images.reduce(0) { $0 + $1.storage.length }
  }

  /// The names of records, each once. Notes of a dump are named by their contents.
  private static func names(of keys: [RecordKey], in pair: ChainPair) throws(CheckpointError)
    -> [String]
  {
    var notes: [RecordKey: String] = [:]
    if keys.contains(where: { $0.namespace == .dumpNote }) {
      for chain in [pair.before, pair.after] {
        for record in try chain.completeRecords() { notes[record.key] = RecordName.text(record) }
      }
    }
    var told: Set<String> = []
    return keys.map { "\($0.namespace) \(notes[$0] ?? RecordName.text($0))" }
      .filter { told.insert($0).inserted }
  }

  /// The lines above a picture.
  var titles: [String] { ["before: \(before.line)", "after:  \(after.line)"] }

  /// The summary for people.
  var lines: [String] {
    var lines = ["before   \(before.line)", "after    \(after.line)"]
    let size = ByteCount.text(differingPages * UInt64(Limits.pageSize))
    lines.append(
      "memory   \(Count.text(differingPages, "page")) differ\(differingPages == 1 ? "s" : "")"
        + (sameMemory
          ? ""
          : " (\(size)), in \(Count.text(runs, "run")), in \(differingBlocks) of \(blocks) blocks of 2 MiB")
    )
    lines += changes.map(\.line)
    if let contents { lines += Self.lines(contents) }
    if let classes { lines += ClassReport.lines(classes) }
    lines.append("machine  " + machineText)
    lines.append("read     \(ByteCount.text(bytesRead)) of \(ByteCount.text(bytesOfImages))")
    return lines
  }

  private var machineText: String {
    if sameMachineState { return "the state is the same" }
    return "the state differs: "
      + (records.isEmpty ? "the order of its records" : records.joined(separator: ", "))
  }

  private static func lines(_ contents: Contents) -> [String] {
    let share = contents.pages == 0 ? 0 : contents.bytes / contents.pages
    var lines = [
      "bytes    \(contents.bytes) changed in \(Count.text(contents.pages, "page")), \(share) in a page on average"
    ]
    let most = contents.histogram.map(\.pages).max() ?? 0
    for bin in contents.histogram where most > 0 {
      let length = Int((bin.pages * 40 + most - 1) / most)
      let bar = length == 0 ? "" : "  " + String(repeating: "#", count: length)
      let range = bin.from == bin.to ? "\(bin.from)" : "\(bin.from)-\(bin.to)"
      let padded = String(repeating: " ", count: 9 - range.count) + range
      lines.append("\(right(bin.pages, 12))  of \(padded) bytes\(bar)")
    }
    return lines
  }

  fileprivate static func right(_ number: UInt64, _ width: Int) -> String {
    let text = "\(number)"
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
