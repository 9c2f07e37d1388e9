/// Events that were made and not taken yet, in order.
package struct EventQueue {
  private var events: [CheckpointEvent] = []
  private var next = 0

  /// An empty queue.
  package init() {}

  /// Adds an event behind all others.
  package mutating func append(_ event: CheckpointEvent) { events.append(event) }

  /// Adds events behind all others.
  package mutating func append(contentsOf more: [CheckpointEvent]) {
    events.append(contentsOf: more)
  }

  /// The first event, which is no longer in the queue; nil if there is none.
  package mutating func take() -> CheckpointEvent? {
    guard next < events.count else {
      events.removeAll(keepingCapacity: true)
      next = 0
      return nil
    }
    next += 1
    return events[next - 1]
  }
}
