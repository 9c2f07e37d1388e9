import CheckpointImage

/// A change as JSON.
struct ChangeReport: Encodable {
  var change: String
  var before: String
  var after: String
  /// Page types other than ordinary.
  var typeBefore: PageType?
  var typeAfter: PageType?
  /// The reason for which a page is evicted.
  var reasonBefore: String?
  var reasonAfter: String?
  var contentsDiffer: Bool

  init(_ change: PageChange) {
    self.change = "\(change.kind)"
    before = "\(change.before.state)"
    after = "\(change.after.state)"
    typeBefore = change.before.type == 0 ? nil : change.before.type
    typeAfter = change.after.type == 0 ? nil : change.after.type
    reasonBefore = change.before.reason == .none ? nil : "\(change.before.reason)"
    reasonAfter = change.after.reason == .none ? nil : "\(change.after.reason)"
    contentsDiffer = change.contentsDiffer
  }
}
