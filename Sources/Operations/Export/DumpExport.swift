internal import CheckpointChain
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Storage

/// Writes a chain's tip as a crash dump.
struct DumpExport {
  let chain: Chain
  let options: DumpOptions
  let output: any ByteSink
  let pool: WorkerPool

  /// Runs the export; returns the pages that were left out.
  func run(as format: DumpFormat, progress: (Double?) -> Void) throws(CheckpointError)
    -> OmittedPages
  {
    var pages = try DumpPages(of: chain)
    switch format {
    case .elf:
      let notes = try DumpNotes.encoded(
        for: chain.completeRecords(), vmcoreinfo: options.vmcoreinfo)
      let head = ELFHead.encoded(runs: pages.known, notes: notes)
      try memory().run(
        into: RunWriter(output, head: head, runs: pages.known) { _ in [] }, progress: progress)
    case .kdump:
      if let limit = options.describedEnd { pages.end(at: limit) }
      pages.leaveOut(options.leftOut)
      let header = try KdumpHeader(of: pages, chain.completeRecords(), options)
      let writer = try KdumpWriter(output, header, populated: pages.populated, dumped: pages.known)
      try memory().compressEachPage(options.codec).run(into: writer, progress: progress)
    case .lime:
      try memory().run(
        into: RunWriter(output, head: [], runs: pages.known, header: LiMEHeader.encoded),
        progress: progress)
    }
    return pages.missing
  }

  private func memory() throws(CheckpointError) -> Pipeline<Deferred<PageBatch>, PageBatch> {
    try Pipeline(ChainPages(chain, on: pool), on: pool).resolveDeferred()
  }
}
