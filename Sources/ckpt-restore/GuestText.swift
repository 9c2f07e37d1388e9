import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import GuestMemory
import Interchange

extension DumpOptions {
  /// What the dump of a chain's tip says of the guest; a line on standard error if it cannot say it.
  ///
  /// - Parameters:
  ///   - format: the format of the dump.
  ///   - level: which pages are to be left out; for that the guest must be recognised.
  init(of chain: Chain, as format: Restore.Format, level: DumpLevel?, codec: CodecSettings?)
    throws(CheckpointError)
  {
    self.init()
    guard format.hasNotes else { return }
    if let codec { self.codec = codec }
    let clues = try MemoryClues(chain.completeRecords())
    if let text = clues.vmcoreinfo, let information = try? VMCoreInfo(text) { take(information) }
    // The dump the image was made of had the note, and an ELF file says nothing else.
    if format == .elf, clues.vmcoreinfo != nil { return }
    let guest: LinuxGuest
    do throws(CheckpointError) {
      guest = try LinuxGuest.find(in: ChainMemory(chain), clues)
    } catch {
      guard error.kind == .refused, level == nil else { throw error.inFile(chain.tip.name) }
      if clues.vmcoreinfo == nil {
        Message.print("ckpt-restore: written without a VMCOREINFO note: \(error)")
      }
      return
    }
    take(guest.information)
    vmcoreinfo = guest.information.text
    guard format == .kdump else { return }
    // A kernel that does not tell these can be dumped too.
    build = (try? guest.facts)?.build ?? ""
    describedEnd = try? guest.describedEnd()
    guard let level else { return }
    self.level = level.rawValue
    do throws(CheckpointError) {
      leftOut = try level.plan(of: guest)
    } catch {
      throw error.inFile(chain.tip.name)
    }
  }

  private mutating func take(_ information: VMCoreInfo) {
    release = information.release
    physicalBase = information.number("phys_base") ?? 0
  }
}
