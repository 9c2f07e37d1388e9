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
    /// A save file of libvirt's libxl driver.
    case libvirt
    /// A suspend image of XenServer or XCP-ng.
    case xenserver
    /// Plain memory.
    case raw
  }

  /// Writes to `output`, which is not committed. Returns the pages that are shown as zeros.
  ///
  /// - Parameter configuration: for xl: the domain's configuration, in place of the image's.
  public static func run(
    _ chain: Chain, as format: Format, configuration: GivenConfiguration? = nil,
    to output: OutputFile,
    on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in }
  ) throws(CheckpointError) -> Substitutions {
    try chain.checkStays(output)
    guard let xen = XenFormat(rawValue: format.rawValue) else {
      let writer = RawWriter(output)
      try run(chain, .ascending, into: writer, on: pool, progress)
      return writer.substitutions
    }
    try checkRestorable(chain.tip)
    let writer: XenStreamWriter
    do throws(CheckpointError) {
      writer = try XenStreamWriter(
        xen, of: chain.records, configuration: configuration, to: output)
    } catch {
      throw error.inFile(chain.tip.name)
    }
    try run(chain, .layout, into: writer, on: pool, progress)
    return writer.substitutions
  }

  /// A guest that did not suspend itself cannot go on elsewhere, whatever its image is wrapped in.
  package static func checkRestorable(_ tip: ImageFile) throws(CheckpointError) {
    let captured = try Merge.provenance(of: tip).last { $0["action"] == "capture" }
    guard captured?["restorable"] == "no" else { return }
    throw CheckpointError(
      .refused,
      "was captured with --memory-only, for analysis: no guest can go on from it; only --to raw is possible",
      file: tip.name)
  }

  private static func run(
    _ chain: Chain, _ order: ChainSource.Order, into sink: any CheckpointSink,
    on pool: WorkerPool, _ progress: (Double?) -> Void
  ) throws(CheckpointError) {
    try Pipeline([.perform], into: sink, on: pool)
      .run(ChainSource(chain, order: order, on: pool), progress: progress)
  }
}
