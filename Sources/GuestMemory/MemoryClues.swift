public import CheckpointImage
internal import Interchange

/// What a source says besides memory that helps to find the kernel in it. All of it may be wrong.
public struct MemoryClues: Sendable {
  /// The text of the VMCOREINFO note, where the source carries one.
  public var vmcoreinfo: [UInt8]?
  /// The control register CR3 of each processor, with a PFN in the place of a machine frame.
  public var pageTables: [UInt64] = []
  /// Virtual addresses in the kernel: where processors enter it, and where they are.
  public var kernelAddresses: [UInt64] = []

  /// No clue.
  public init() {}

  /// What the records of a machine's state say of its kernel and its processors.
  ///
  /// - Throws: `.damaged` if a record cannot be read.
  public init(_ records: [MachineRecord]) throws(CheckpointError) {
    vmcoreinfo = try DumpNotes.vmcoreinfo(in: records)
    for processor in try VCPU.all(in: records) {
      func value(_ name: String, in registers: [VCPU.Register]) -> UInt64? {
        registers.first { $0.name == name }?.value
      }
      // Page tables of 64 bits: only an HVM guest's records have EFER; LMA says so.
      if let mode = value("efer", in: processor.control), mode & 1 << 10 == 0 { continue }
      if let register = value("cr3", in: processor.control), register != 0 {
        pageTables.append(register)
      }
      for name in ["lstar", "syscall_callback_eip"] {
        if let address = value(name, in: processor.system), address != 0 {
          kernelAddresses.append(address)
        }
      }
    }
  }
}
