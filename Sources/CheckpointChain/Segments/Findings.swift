/// What is wrong with a file, in the order in which it was found.
enum Findings {
  /// A file with more findings than this has nothing more to tell.
  static let most = 1000
}
