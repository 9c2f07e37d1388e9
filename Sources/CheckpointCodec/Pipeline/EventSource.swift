package import CheckpointImage

/// Where events of one type come from: a stream, a file, a chain.
package protocol EventSource<Event>: AnyObject {
  associatedtype Event
  /// How much of the work is done, 0 to 1; nil if the end is not known.
  var fractionDone: Double? { get }
  /// The next event; nil at the end.
  func next() throws(CheckpointError) -> Event?
}
