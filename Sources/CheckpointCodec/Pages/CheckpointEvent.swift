public import CheckpointImage

/// What flows from a source through the steps to a sink.
public enum CheckpointEvent: Sendable {
  /// Pages with contents.
  case pages(PageBatch)
  /// Pages without contents.
  case states(StateExtent)
  /// A part of the machine's state.
  case record(MachineRecord)
  /// How the source laid out its bytes.
  case layout(LayoutItem)
  /// From here on, PFNs may come again that came before; until then, each comes at most once.
  case newPass
  /// Compressed pages.
  case regions([EncodedRegion])
  /// An event that is still to be worked out, on any core.
  case deferred(@Sendable () throws(CheckpointError) -> CheckpointEvent)
}

/// Where events come from: a stream, a file, a chain.
public protocol CheckpointSource: AnyObject {
  /// How much of the work is done, 0 to 1; nil if the end is not known.
  var fractionDone: Double? { get }
  /// The next event; nil at the end.
  func next() throws(CheckpointError) -> CheckpointEvent?
}

/// Where events go.
public protocol CheckpointSink: AnyObject {
  /// Takes an event.
  func receive(_ event: CheckpointEvent) throws(CheckpointError)
  /// Takes note that no more events come.
  func finish() throws(CheckpointError)
}
