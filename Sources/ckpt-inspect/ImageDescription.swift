import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Formats
import Storage

/// The description of one image.
struct ImageDescription: Encodable {
  struct Record: Encodable {
    var namespace: String
    var type: UInt32
    var name: String
    var recordClass: String
    var length: UInt64
    var digest: String
    var inherited: Bool
  }

  var image: ImageReport
  var version: String
  var kind: String
  var captureID: String
  var parentID: String?
  var parentName: String?
  var features: [String]
  var layout: String
  var segments: UInt64
  var records: [Record]
  var provenance: [[String: String]]
  /// Evicted pages in the image itself, by reason; nil if they were not counted.
  var evicted: [String: UInt64]?
  private let facts: MomentFacts

  private enum CodingKeys: CodingKey {
    case image, version, kind, captureID, parentID, parentName, features, layout, segments, records
    case provenance, evicted
  }

  init(_ file: ImageFile) throws(CheckpointError) {
    image = ImageReport(
      file: file.name, root: file.root, fileID: file.trailer.fileID, bytes: file.storage.length)
    version = "\(ImageHeader.majorVersion).\(file.header.minorVersion)"
    kind = file.header.parent == nil ? "base" : "increment"
    captureID = Hexadecimal.string(file.header.captureID)
    parentID = file.header.parent?.hex
    parentName = file.header.parentName.isEmpty ? nil : file.header.parentName
    features = file.header.features.named.map(\.name)
    layout = "\(file.root.layout)"
    segments = file.trailer.segmentCount
    records = try Chain.records(of: file).map {
      Record(
        namespace: "\($0.key.namespace)", type: $0.key.type, name: RecordName.text($0),
        recordClass: $0.key.class.name,
        length: $0.key.length, digest: $0.key.digest.hex, inherited: $0.payload == nil)
    }
    let history = try file.provenance()
    facts = MomentFacts(history)
    provenance = history.map { history in
      Dictionary(history.fields.map { ($0.key, $0.value) }) { first, _ in first }
    }
  }

  /// Counts evicted pages, which takes reading the whole index.
  mutating func countEvicted(_ file: ImageFile) throws(CheckpointError) {
    guard file.root.count(.evicted) > 0 else { return }
    var counts: [String: UInt64] = [:]
    try StatusRuns.forEach(of: file) { pages, status in
      if status.state == .evicted { counts["\(status.reason)", default: 0] += UInt64(pages.count) }
    }
    evicted = counts
  }

  /// When the guest was in the state that the image holds; nil if unknown.
  var moment: String? {
    facts.time.map { "\($0.text.prefix(19))Z" }
  }

  /// The line for the image in the list of its chain.
  var chainLine: String {
    let adds = kind == "base" ? "" : "adds "
    let parts = [
      kind, ByteCount.text(image.bytes), "\(adds)\(image.pageText)",
      "checkpoint \(image.checkpointID.prefix(16))", moment,
    ]
    return "\(image.file): " + parts.compactMap { $0 }.joined(separator: ", ")
  }

  /// One fact per line.
  var lines: [String] {
    var lines = [
      "file           \(image.file)",
      "kind           \(kind), format \(version) (\(features.joined(separator: ", ")))",
      "size           \(image.bytes) bytes in \(segments) segments",
      "checkpoint ID  \(image.checkpointID)",
      "memory digest  \(image.memoryDigest)",
      "state digest   \(image.stateDigest)",
      "file ID        \(image.fileID)",
      "capture ID     \(captureID)",
    ]
    if let parentID { lines.append("parent         \(parentID) (\(parentName ?? "no name"))") }
    lines.append("pages          \(image.pageText); \(image.deadCopies) dead copies")
    if let evicted {
      let parts = evicted.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      lines.append(
        "evicted        " + parts.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
    }
    lines.append("layout         \(layout)")
    if let moment { lines.append("moment         \(moment)") }
    for record in records {
      lines.append(
        "record         \(record.namespace) \(record.name), \(record.recordClass), \(record.length) bytes"
          + (record.inherited ? ", inherited" : ""))
    }
    for history in provenance {
      lines.append("history        \(history["action"] ?? "?")")
      for (key, value) in history.sorted(by: { $0.key < $1.key }) where key != "action" {
        lines.append("  \(key): \(value)")
      }
    }
    return lines
  }
}
