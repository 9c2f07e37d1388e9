package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
package import GuestMemory

/// The guest in a chain's tip, as a crash dump is to tell of it.
package struct DumpedGuest {
  /// What the dump says of it.
  package private(set) var options = DumpOptions()
  /// Why it was not recognised, so that the dump has no VMCOREINFO note; nil if it has one, or needs none.
  package private(set) var obstacle: CheckpointError?

  /// Looks at the guest as far as the dump needs it.
  ///
  /// - Parameters:
  ///   - format: the format of the dump.
  ///   - level: which pages are to be left out; for that the guest must be recognised.
  ///   - codec: how pages are compressed; nil for the usual way.
  package init(of chain: Chain, as format: FileFormat, level: DumpLevel?, codec: CodecSettings?)
    throws(CheckpointError)
  {
    guard case .dump(let format) = format, format.hasNotes else { return }
    if let codec { options.codec = codec }
    let clues = try MemoryClues(chain.completeRecords())
    if let text = clues.vmcoreinfo, let information = try? VMCoreInfo(text) { take(information) }
    // The dump the image was made of had the note, and an ELF file says nothing else.
    if format == .elf, clues.vmcoreinfo != nil { return }
    do throws(CheckpointError) {
      let guest = try LinuxGuest.find(in: ChainMemory(chain), clues)
      take(guest.information)
      options.vmcoreinfo = guest.information.text
      guard format == .kdump else { return }
      // A kernel that does not tell these can be dumped too.
      options.build = (try? guest.facts)?.build ?? ""
      options.describedEnd = try? guest.describedEnd()
      guard let level else { return }
      options.level = level.rawValue
      options.leftOut = try level.plan(of: guest)
    } catch {
      guard error.kind == .refused, level == nil else { throw error.inFile(chain.tip.name) }
      if clues.vmcoreinfo == nil { obstacle = error }
    }
  }

  private mutating func take(_ information: VMCoreInfo) {
    options.release = information.release
    options.physicalBase = information.number("phys_base") ?? 0
  }
}
