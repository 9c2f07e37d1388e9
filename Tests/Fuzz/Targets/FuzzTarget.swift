import Formats

/// The properties that are fuzzed. Each holds for whatever bytes it is given.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// A sound image can be read whole, and merged into the same moment; nothing in an image is a trap.
  case image
  /// The same of an increment on a base.
  case chain
  /// Streams are read to their end, or refused; no page comes of fewer bytes than it has.
  case xl, libxl, libxc, libvirt, xenserver, raw
  /// The same of dumps, where a page may be there in part: none comes of no byte. Of kdump, only its tables are read.
  case elf, lime, kdump
  /// The image of a stream is exported as that very stream if its layout is exact, else as one of the
  /// same moment.
  case export
  /// A stream in which nothing is found wrong was read whole.
  case check
  /// Compressed sources and members of archives are read to their end, or refused.
  case archive
  /// What is rescued of a damaged image is sound, and has no page that the whole image had not.
  case salvage
  /// What is decoded of an image, however damaged, is encoded as the same bytes; no JSON is a trap.
  case json
  /// The bytes of a structure that are accepted are those it is written as.
  case structure
  /// Expanding a region writes its pages and nothing else.
  case region
  /// Looking for a kernel in memory ends, whatever it holds.
  case guest
  /// Whatever stands in a guest's page descriptors and in what leads to them, its pages get classes, or none; an update
  /// finds those that a fresh reading finds.
  case classes

  /// Tries one input.
  package func run(_ input: [UInt8]) -> Outcome {
    switch self {
    case .image: ImageTarget.run(input)
    case .chain: ChainTarget.run(input)
    case .xl: SourceTarget.run(input, .xen(.xl))
    case .libxl: SourceTarget.run(input, .xen(.libxl))
    case .libxc: SourceTarget.run(input, .xen(.libxc))
    case .libvirt: SourceTarget.run(input, .xen(.libvirt))
    case .xenserver: SourceTarget.run(input, .xen(.xenServer))
    case .raw: SourceTarget.run(input, .raw)
    case .elf: DumpTarget.run(input, .dump(.elf))
    case .lime: DumpTarget.run(input, .dump(.lime))
    case .kdump: DumpTarget.runTables(input)
    case .export: ExportTarget.run(input)
    case .check: CheckTarget.run(input)
    case .salvage: SalvageTarget.run(input)
    case .json: JSONTarget.run(input)
    case .archive: ArchiveTarget.run(input)
    case .structure: StructureTarget.run(input)
    case .region: RegionTarget.run(input)
    case .guest: GuestTarget.run(input)
    case .classes: PageClassesTarget.run(input)
    }
  }
}
