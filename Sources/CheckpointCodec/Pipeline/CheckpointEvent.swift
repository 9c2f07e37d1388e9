package import CheckpointImage

/// What flows from a source through the steps to a sink.
package enum CheckpointEvent: Sendable {
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
