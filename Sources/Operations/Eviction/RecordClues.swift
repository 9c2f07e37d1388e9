package import CheckpointImage
internal import Formats
package import GuestMemory

extension MemoryClues {
  /// Clues about kernel and processors in the records of a machine's state.
  ///
  /// - Throws: `.damaged` if a record cannot be read.
  package init(_ records: [MachineRecord]) throws(CheckpointError) {
    self.init()
    vmcoreinfo = DumpNotes.vmcoreinfo(in: records)
    for processor in try VCPU.all(in: records) {
      func control(_ name: String) -> UInt64? { processor.control.first { $0.name == name }?.value }
      // Only records of HVM guests have EFER; its LMA bit means 64-bit page tables.
      if let mode = control("efer"), mode & 1 << 10 == 0 { continue }
      if let register = control("cr3"), register != 0 {
        pageTables.append(register)
      }
    }
  }
}
