public import CheckpointImage
internal import Interchange

/// What a source says besides memory that helps to find the kernel in it. All of it may be wrong.
public struct MemoryClues: Sendable {
  /// The text of the VMCOREINFO note, where the source carries one.
  public var vmcoreinfo: [UInt8]?
  /// The control register CR3 of each processor, with a PFN in the place of a machine frame.
  public var pageTables: [UInt64] = []

  /// No clue.
  public init() {}

  /// What the records of a machine's state say of its kernel and its processors.
  ///
  /// - Throws: `.damaged` if a record cannot be read.
  public init(_ records: [MachineRecord]) throws(CheckpointError) {
    vmcoreinfo = try DumpNotes.vmcoreinfo(in: records)
    for processor in try VCPU.all(in: records) {
      func control(_ name: String) -> UInt64? { processor.control.first { $0.name == name }?.value }
      // Page tables of 64 bits: only an HVM guest's records have EFER; LMA says so.
      if let mode = control("efer"), mode & 1 << 10 == 0 { continue }
      if let register = control("cr3"), register != 0 {
        pageTables.append(register)
      }
    }
  }
}
