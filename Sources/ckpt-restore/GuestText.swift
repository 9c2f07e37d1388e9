import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import GuestMemory
import Interchange

extension DumpOptions {
  /// What the dump of a chain's tip says of the guest; a line on standard error if it cannot say it.
  ///
  /// - Parameter level: which pages are to be left out; for that the guest must be recognised.
  init(of chain: Chain, level: DumpLevel?, codec: CodecSettings?) throws(CheckpointError) {
    self.init()
    if let codec { self.codec = codec }
    let clues = try MemoryClues(chain.completeRecords())
    if let text = clues.vmcoreinfo, let information = try? VMCoreInfo(text) { take(information) }
    // The dump the image was made of had the note.
    if level == nil, clues.vmcoreinfo != nil { return }
    do throws(CheckpointError) {
      let guest = try LinuxGuest.find(in: ChainMemory(chain), clues)
      take(guest.information)
      vmcoreinfo = guest.information.text
      guard let level else { return }
      self.level = level.rawValue
      leftOut = try level.plan(of: guest)
    } catch {
      guard error.kind == .refused, level == nil else { throw error.inFile(chain.tip.name) }
      Message.print("ckpt-restore: written without a VMCOREINFO note: \(error)")
    }
  }

  private mutating func take(_ information: VMCoreInfo) {
    release = information.release
    physicalBase = information.number("phys_base") ?? 0
  }
}
