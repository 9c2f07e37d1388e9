internal import CheckpointChain
internal import CheckpointCodec
internal import CheckpointImage

/// The formats of crash dumps: pages by physical address, those without known contents left out.
enum DumpFormat: String {
  case elf, lime

  /// Writes a chain's tip. Returns the pages that are left out.
  func write(
    _ chain: Chain, _ options: DumpOptions, to output: OutputFile,
    _ run: (any CheckpointSink) throws(CheckpointError) -> Void
  ) throws(CheckpointError) -> Substitutions {
    let pages = try DumpPages(of: chain)
    switch self {
    case .elf:
      let notes = try DumpNotes.encoded(
        for: chain.completeRecords(), vmcoreinfo: options.vmcoreinfo)
      try run(
        RunWriter(output, head: ELFHead.encoded(runs: pages.known, notes: notes), runs: pages.known)
        { _ in [] })
    case .lime:
      try run(RunWriter(output, head: [], runs: pages.known, header: LiMEHeader.encoded))
    }
    return pages.missing
  }
}

/// What a crash dump has besides memory.
public struct DumpOptions: Sendable {
  /// What a Linux guest says of itself, for an image that has no note of it.
  public var vmcoreinfo: [UInt8]?

  /// Nothing is known.
  public init() {}
}
