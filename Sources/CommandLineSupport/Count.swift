/// Formats numbers with their nouns.
package enum Count {
  /// `1 page`, `2 pages`.
  package static func text(_ count: some BinaryInteger, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}
