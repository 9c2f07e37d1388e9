package import CheckpointImage

extension PageStatus {
  /// The status for people: `data`, `data (page table L1)`, `evicted (balloon)`.
  package var text: String {
    var notes: [String] = []
    if type != 0 { notes.append(PageTypeName.text(type)) }
    if reason != .none { notes.append("\(reason)") }
    return notes.isEmpty ? "\(state)" : "\(state) (\(notes.joined(separator: ", ")))"
  }
}

extension PageChange {
  /// The change for people: what the page is, or what it was and what it is.
  package var text: String {
    guard before != after else { return after.text }
    // That a page became zero says enough of its contents.
    let contents = contentsDiffer && before.state == after.state ? ", other contents" : ""
    return "\(before.text) -> \(after.text)\(contents)"
  }
}
