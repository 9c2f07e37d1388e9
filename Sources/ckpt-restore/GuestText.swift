import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import GuestMemory
import Interchange

extension DumpOptions {
  /// What the dump of a chain's tip says of the guest; a line on standard error if it cannot say it.
  init(of chain: Chain) throws(CheckpointError) {
    self.init()
    let clues = try MemoryClues(chain.completeRecords())
    // The dump the image was made of had it.
    guard clues.vmcoreinfo == nil else { return }
    do throws(CheckpointError) {
      vmcoreinfo = try LinuxGuest.find(in: ChainMemory(chain), clues).information.text
    } catch {
      guard error.kind == .refused else { throw error.inFile(chain.tip.name) }
      Message.print("ckpt-restore: written without a VMCOREINFO note: \(error)")
    }
  }
}
