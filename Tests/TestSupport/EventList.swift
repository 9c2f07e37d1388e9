import CheckpointCodec
/// A source that gives what it was given.
package final class EventList<Event>: EventSource {
  package let fractionDone: Double? = nil
  private var events: ArraySlice<Event>

  package init(_ events: [Event]) { self.events = events[...] }

  package func next() -> Event? { events.popFirst() }
}
