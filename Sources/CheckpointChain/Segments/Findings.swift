/// What is wrong with a file, in the order in which it was found.
enum Findings {
  /// Of a file with more findings than this, more are of no use.
  static let most = 1000
}
