package import CheckpointImage

extension PageStatus {
  /// The status as text: `data`, `data (page table L1)`, `evicted (balloon)`.
  package var text: String {
    var notes: [String] = []
    if type != 0 { notes.append(PageTypeName.text(type)) }
    if reason != .none { notes.append("\(reason)") }
    return notes.isEmpty ? "\(state)" : "\(state) (\(notes.joined(separator: ", ")))"
  }
}

extension PageChange {
  /// The change as text: the status, or the one before and the one after.
  package var text: String {
    guard before != after else { return after.text }
    // If a page became zero, it is clear that its contents differ.
    let contents = contentsDiffer && before.state == after.state ? ", other contents" : ""
    return "\(before.text) -> \(after.text)\(contents)"
  }
}
