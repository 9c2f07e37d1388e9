package import CheckpointCodec
package import CheckpointImage

/// A source that knows what it is: what can be captured.
package protocol DescribedSource: EventSource where Event == SourceEvent {
  /// The name used in messages.
  var name: String { get }
  /// What the source is; some of it may be known only at the end of a moment.
  var facts: SourceFacts { get }
  /// How faithful the recorded layout is; nil leaves it to the writer.
  var layoutKind: LayoutKind? { get }
  /// The same source, if it may have several moments.
  var series: (any MomentSeries)? { get }
  /// The memory, if it can be read in any order.
  var sourceMemory: SourceMemory? { get }
}

extension DescribedSource {
  /// It is one moment.
  package var series: (any MomentSeries)? { nil }
  /// Its memory comes once only.
  package var sourceMemory: SourceMemory? { nil }
}

/// A source of several moments, one after the other.
package protocol MomentSeries: DescribedSource {
  /// Whether the moment being read is told as what changed since the one before it in the source.
  var isDifference: Bool { get }
  /// Whether this moment has nothing to do with the one before it: it is told whole.
  var startsOver: Bool { get }
  /// Whether, after this error in the middle of a moment, `beginNextMoment` can still be called.
  func survives(_ error: CheckpointError) -> Bool
  /// Goes on to the next moment, once all events of this one were taken; false if there is none.
  func beginNextMoment() throws(CheckpointError) -> Bool
}

extension MomentSeries {
  package var series: (any MomentSeries)? { self }
  /// It goes on.
  package var startsOver: Bool { false }
  /// It ends.
  package func survives(_ error: CheckpointError) -> Bool { false }
}

/// What can be looked at of a source before its events are taken, for what is left out of it.
package struct SourceMemory {
  /// The memory, in any order.
  package var memory: any PhysicalMemory
  /// What is known of the machine.
  package var records: [MachineRecord]
  /// Says which pages are going to be left out: what the source gives as their contents need not be so.
  package var leaveOut: (EvictionPlan) -> Void
}
