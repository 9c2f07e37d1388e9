public import CheckpointChain
public import CheckpointCodec
public import CheckpointImage

/// Writes a chain's tip in a format that other programs read.
public enum Restore {
  /// The formats.
  public enum Format: String, CaseIterable, Sendable {
    /// An `xl save` file.
    case xl
    /// Xen's libxl stream.
    case libxl
    /// Xen's libxc stream.
    case libxc
    /// Plain memory.
    case raw
  }

  /// Writes to `output`, which is not committed. Returns the pages that are shown as zeros.
  public static func run(
    _ chain: Chain, as format: Format, to output: OutputFile, on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in }
  ) throws(CheckpointError) -> Substitutions {
    try chain.checkStays(output)
    switch format {
    case .raw:
      let writer = RawWriter(output)
      try run(chain, .ascending, into: writer, on: pool, progress)
      return writer.substitutions
    case .xl: return try stream(.xl, of: chain, to: output, on: pool, progress)
    case .libxl: return try stream(.libxl, of: chain, to: output, on: pool, progress)
    case .libxc: return try stream(.libxc, of: chain, to: output, on: pool, progress)
    }
  }

  private static func stream(
    _ format: XenStreamWriter.Format, of chain: Chain, to output: OutputFile, on pool: WorkerPool,
    _ progress: (Double?) -> Void
  ) throws(CheckpointError) -> Substitutions {
    let writer = XenStreamWriter(format, to: output)
    try run(chain, .layout, into: writer, on: pool, progress)
    return writer.substitutions
  }

  private static func run(
    _ chain: Chain, _ order: ChainSource.Order, into sink: any CheckpointSink,
    on pool: WorkerPool, _ progress: (Double?) -> Void
  ) throws(CheckpointError) {
    try Pipeline([.perform], into: sink, on: pool)
      .run(ChainSource(chain, order: order), progress: progress)
  }
}
