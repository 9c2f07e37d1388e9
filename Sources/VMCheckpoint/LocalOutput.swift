public import CheckpointImage
public import Storage

/// Output on this machine.
public enum LocalOutput {
  /// A file that takes its name only when it is complete: until then it is a temporary file in the same folder, which
  /// only its owner can read, and which is gone if the sink is dropped. A device or a pipe at `path`, or standard output
  /// if it is `-`, is written to at once.
  ///
  /// - Parameters:
  ///   - path: where the file appears, as `commit` of the sink returns.
  ///   - replacing: an existing file is replaced; else it is an error.
  ///   - sync: file and folder are on disk before `commit` returns.
  ///   - cancellation: ends writing with an error.
  public static func file(
    _ path: String, replacing: Bool = false, sync: Bool = true,
    cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) -> any ByteSink {
    try OutputFile.open(path, force: replacing, sync: sync, cancellation: cancellation)
  }
}
