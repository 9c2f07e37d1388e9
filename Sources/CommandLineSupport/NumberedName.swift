/// A file name with a placeholder for a number, as in `web-%04d.ckpt`: `%d`, or `%` and a width that begins
/// with 0.
package struct NumberedName {
  private let before: Substring
  private let after: Substring
  private let width: Int

  /// Finds the placeholder in the last part of a path; nil if there is none or more than one.
  package init?(_ path: String) {
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let places = name.matches(of: /%(?:0([1-9]))?d/)
    guard let place = places.first, places.count == 1 else { return nil }
    before = path[..<place.range.lowerBound]
    after = path[place.range.upperBound...]
    width = place.output.1.flatMap { Int($0) } ?? 1
  }

  /// The name with the number in place of the placeholder.
  package func path(_ number: Int) -> String {
    let digits = String(number)
    return before + String(repeating: "0", count: max(0, width - digits.count)) + digits + after
  }
}
