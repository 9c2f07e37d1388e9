package import CheckpointImage

/// Where events go.
package protocol CheckpointSink: AnyObject {
  /// Takes an event.
  func receive(_ event: CheckpointEvent) throws(CheckpointError)
  /// Takes note that no more events come.
  func finish() throws(CheckpointError)
}
