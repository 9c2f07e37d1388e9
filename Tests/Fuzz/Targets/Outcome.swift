/// What became of an input.
package enum Outcome: Equatable, Sendable {
  /// It is what the target takes, and was read to its end.
  case accepted
  /// It was refused, with an error.
  case refused
  /// The property does not hold.
  case broken(String)
}
