package import CheckpointImage

/// Where events of one type go.
package protocol EventSink<Event>: AnyObject {
  associatedtype Event
  /// Takes an event.
  func receive(_ event: Event) throws(CheckpointError)
  /// No more events come.
  func finish() throws(CheckpointError)
}
