internal import CheckpointChain
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Storage

/// The formats of crash dumps: pages by physical address, those without known contents left out.
enum DumpFormat: String {
  case elf, kdump, lime

  /// Writes a chain's tip, which `run` moves through some steps into a sink. Returns the pages that are left out.
  func write(
    _ chain: Chain, _ options: DumpOptions, to output: OutputFile,
    _ run: (any CheckpointSink, [Pipeline.Step]) throws(CheckpointError) -> Void
  ) throws(CheckpointError) -> Substitutions {
    var pages = try DumpPages(of: chain)
    switch self {
    case .elf:
      let notes = try DumpNotes.encoded(
        for: chain.completeRecords(), vmcoreinfo: options.vmcoreinfo)
      let head = ELFHead.encoded(runs: pages.known, notes: notes)
      try run(RunWriter(output, head: head, runs: pages.known) { _ in [] }, [])
    case .kdump:
      if let limit = options.describedEnd { pages.end(at: limit) }
      pages.leaveOut(options.leftOut)
      let header = try KdumpHeader(of: pages, chain.completeRecords(), options)
      let writer = try KdumpWriter(output, header, populated: pages.populated, dumped: pages.known)
      var settings = options.codec
      settings.regionPages = 1
      try run(writer, [.packRegions, .compress(settings, proving: false)])
    case .lime:
      try run(RunWriter(output, head: [], runs: pages.known, header: LiMEHeader.encoded), [])
    }
    return pages.missing
  }
}
