package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
package import Storage

/// Writes a chain's tip in the formats of other programs.
package enum Export {
  /// Writes to `output`, without committing it. Returns the pages that are left out or written as zeros.
  ///
  /// - Parameters:
  ///   - configuration: for xl: the domain's configuration, in place of the image's.
  ///   - options: for elf, kdump and lime.
  /// - Throws: `.refused` for a format of Xen if no guest can go on from the tip.
  package static func run(
    _ chain: Chain, as format: FileFormat, configuration: GivenConfiguration? = nil,
    options: DumpOptions = DumpOptions(), to output: any ByteSink, on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in }
  ) throws(CheckpointError) -> OmittedPages {
    try chain.checkStays(output)
    switch format {
    case .xen(let format):
      return try write(chain, as: format, configuration, to: output, on: pool, progress)
    case .dump(let format):
      return try DumpExport(
        chain: chain, options: options, output: output, pool: pool
      ).run(as: format, progress: progress)
    case .raw:
      let writer = RawWriter(output)
      try Pipeline(ChainPages(chain, on: pool), on: pool)
        .resolveDeferred()
        .run(into: writer, progress: progress)
      return writer.omitted
    }
  }

  private static func write(
    _ chain: Chain, as format: XenFormat, _ configuration: GivenConfiguration?,
    to output: any ByteSink, on pool: WorkerPool, _ progress: (Double?) -> Void
  ) throws(CheckpointError) -> OmittedPages {
    try Restorability(of: chain).checkExport()
    let writer: XenStreamWriter
    do throws(CheckpointError) {
      writer = try XenStreamWriter(
        format, of: chain.records(), configuration: configuration, to: output)
    } catch {
      throw error.inFile(chain.tip.name)
    }
    try Pipeline(ChainStream(chain, on: pool), on: pool)
      .resolveDeferred()
      .run(into: writer, progress: progress)
    return writer.omitted
  }
}
