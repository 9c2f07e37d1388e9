package import CheckpointCodec
package import CheckpointImage

/// A source that describes itself, so that it can be captured.
package protocol DescribedSource: EventSource where Event == SourceEvent {
  /// The name used in messages.
  var name: String { get }
  /// The description; some facts may be known only at the end of a moment.
  var facts: SourceFacts { get }
  /// How faithfully the source can be written again from the recorded layout; nil if the writer decides.
  var layoutKind: LayoutKind? { get }
  /// The source as a series, if it may have several moments; else nil.
  var series: (any MomentSeries)? { get }
  /// The memory, if it can be read in any order; else nil.
  var sourceMemory: SourceMemory? { get }
}

extension DescribedSource {
  /// Nil: most sources have one moment.
  package var series: (any MomentSeries)? { nil }
  /// Nil: most sources can be read only once.
  package var sourceMemory: SourceMemory? { nil }
}

/// A source of several moments, one after the other.
package protocol MomentSeries: DescribedSource {
  /// Whether the current moment consists of the changes since the one before it.
  var isDifference: Bool { get }
  /// Whether the current moment is unrelated to the one before it and therefore complete.
  var startsOver: Bool { get }
  /// Whether `beginNextMoment` can still be called after this error in the middle of a moment.
  func survives(_ error: CheckpointError) -> Bool
  /// Continues with the next moment, once all events of this one were taken; false if there is none.
  func beginNextMoment() throws(CheckpointError) -> Bool
}

extension MomentSeries {
  package var series: (any MomentSeries)? { self }
  /// False: moments follow each other.
  package var startsOver: Bool { false }
  /// False: an error ends the series.
  package func survives(_ error: CheckpointError) -> Bool { false }
}

/// What can be examined in a source before its events are taken, to decide what to evict.
package struct SourceMemory {
  /// The memory, readable in any order.
  package var memory: any PhysicalMemory
  /// The machine state, as far as it is known.
  package var records: [MachineRecord]
  /// Tells the source which pages will be evicted: it may then return anything as their contents.
  package var leaveOut: (EvictionPlan) -> Void
}
