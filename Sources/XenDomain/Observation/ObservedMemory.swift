#if Xen
internal import CheckpointImage

/// The memory and machine state of a live domain as an analyst needs them: the guest does nothing for it, and
/// nothing is believed that it could have made up.
protocol ObservedMemory: DomainPages {
  /// The vCPUs and what goes with them.
  func machineState() throws(CheckpointError) -> [MachineRecord]
  /// What else was found, for the provenance.
  var findings: [(key: String, value: String)] { get }
}

extension HVMMemory: ObservedMemory {
  func machineState() throws(CheckpointError) -> [MachineRecord] { try epochRecords() }
  var findings: [(key: String, value: String)] { [] }
}
#endif
