package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
package import GuestMemory

/// What a crash dump states about the guest in a chain's tip.
package struct DumpedGuest {
  /// The options of the dump.
  package private(set) var options = DumpOptions()
  /// Why no guest was recognised, so that the dump has no VMCOREINFO note; nil if it has one or needs none.
  package private(set) var obstacle: CheckpointError?

  /// Examines the guest as far as the dump needs it.
  ///
  /// - Parameters:
  ///   - format: the format of the dump.
  ///   - level: which pages are left out, for which the guest must be recognised.
  ///   - codec: how pages are compressed; nil for the default.
  package init(of chain: Chain, as format: FileFormat, level: DumpLevel?, codec: CodecSettings?)
    throws(CheckpointError)
  {
    guard case .dump(let format) = format, format.hasNotes else { return }
    if let codec { options.codec = codec }
    let clues = try MemoryClues(chain.completeRecords())
    // The image's own note is used, unless another text fits its memory.
    if let text = clues.vmcoreinfo, let information = try? VMCoreInfo(text) { take(information) }
    do throws(CheckpointError) {
      let guest = try LinuxGuest.find(in: ChainMemory(chain), clues)
      take(guest.information)
      if clues.vmcoreinfo == nil || guest.unfittingNote != nil {
        options.vmcoreinfo = guest.information.text
      }
      guard format == .kdump else { return }
      // A kernel without these facts can be dumped too.
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
