public import CheckpointImage
internal import Interchange

extension MemoryClues {
  /// What the records of a machine's state tell.
  public init(_ records: [MachineRecord]) throws(CheckpointError) {
    self.init()
    vmcoreinfo = try DumpNotes.vmcoreinfo(in: records)
    for processor in try VCPU.all(in: records) {
      pageTables += processor.control.filter { $0.name == "cr3" }.map(\.value)
      kernelAddresses += (processor.system + processor.general)
        .filter { Self.codeAddresses.contains($0.name) && $0.value >= Self.kernelHalf }.map(\.value)
    }
  }

  private static let codeAddresses: Set = [
    "lstar", "syscall_callback_eip", "event_callback_eip", "rip",
  ]
  private static let kernelHalf: UInt64 = 1 << 63
}
