/// Numbers with their nouns.
public enum Count {
  /// `1 page`, `2 pages`.
  public static func text(_ count: some BinaryInteger, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}
