import CheckpointImage

/// A finding as JSON.
struct FindingReport: Encodable {
  var file: String?
  var offset: UInt64?
  var structure: String?
  var reason: String

  init(_ finding: CheckpointError) {
    file = finding.file
    offset = finding.offset
    structure = finding.structure
    reason = finding.reason
  }
}
