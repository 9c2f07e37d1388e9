/// Events that were made and not taken yet, in order.
package struct EventQueue<Event> {
  private var events: [Event] = []
  private var next = 0

  /// An empty queue.
  package init() {}

  /// Adds an event behind all others.
  package mutating func append(_ event: Event) { events.append(event) }

  /// Adds events behind all others.
  package mutating func append(contentsOf more: [Event]) { events.append(contentsOf: more) }

  /// The first event, which is no longer in the queue; nil if there is none.
  package mutating func take() -> Event? {
    guard next < events.count else {
      events.removeAll(keepingCapacity: true)
      next = 0
      return nil
    }
    next += 1
    return events[next - 1]
  }
}
