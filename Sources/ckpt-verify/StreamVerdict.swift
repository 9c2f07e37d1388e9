import CheckpointImage
import CommandLineSupport
import Formats

/// The verdict on a file or stream of Xen that was checked.
struct StreamVerdict: Encodable {
  var sound: Bool
  var kind: String
  var moments: Int
  var records: UInt64
  var pages: UInt64
  var bytes: UInt64
  var findings: [FindingReport]
  /// What is odd and no problem; nil if nothing is.
  var notes: [String]?

  private let texts: [String]

  private enum CodingKeys: CodingKey {
    case sound, kind, moments, records, pages, bytes, findings, notes
  }

  init(_ check: XenStreamCheck) {
    sound = check.findings.isEmpty
    kind = check.kind
    moments = check.counts.moments
    records = check.counts.records
    pages = check.counts.pages
    bytes = check.counts.bytes
    findings = check.findings.map { FindingReport($0) }
    notes = check.notes.isEmpty ? nil : check.notes.map { "\($0)" }
    texts = check.findings.map { "\($0)" }
  }

  func show(_ common: CommonOptions) throws(CheckpointError) {
    if common.json { return try Results.printJSON(self) }
    for text in texts { try Results.print(text) }
    guard !common.quiet else { return }
    for note in notes ?? [] { Message.print("ckpt-verify: note: \(note)") }
    Message.print(
      [
        kind, Count.text(moments, "moment"), Count.text(records, "record"),
        Count.text(pages, "page"), ByteCount.text(bytes),
      ].joined(separator: ", ") + ": "
        + (sound ? "sound" : Count.text(findings.count, "finding")))
  }
}
