internal import CheckpointChain
internal import CheckpointCodec
package import CheckpointImage

/// The notes for the dump of a moment.
package enum DumpNotes {
  /// The VMCOREINFO text in the records of a machine; nil if there is none.
  package static func vmcoreinfo(in records: [MachineRecord]) throws(CheckpointError) -> [UInt8]? {
    try notes(in: records).first { $0.name == DumpNote.vmcoreinfo }?.contents
  }

  /// The notes stored in the records of a machine.
  static func notes(in records: [MachineRecord]) throws(CheckpointError) -> [DumpNote] {
    var notes: [DumpNote] = []
    for record in records where record.key.namespace == .dumpNote {
      guard let payload = record.payload else { continue }
      notes.append(try DumpNote(payload))
    }
    return notes
  }

  /// The stored notes unchanged, if there are any; else one note for each processor in the records, and one
  /// with `vmcoreinfo`.
  package static func encoded(for records: [MachineRecord], vmcoreinfo: [UInt8]?)
    throws(CheckpointError)
    -> [[UInt8]]
  {
    var encoded = records.filter { $0.key.namespace == .dumpNote }.compactMap(\.payload)
    if encoded.isEmpty {
      let processors = try VCPU.all(in: records)
      encoded =
        (processors.map(\.statusNote) + processors.map(\.emulatorNote)).map { $0.encoded() }
    }
    if let vmcoreinfo, try Self.vmcoreinfo(in: records) == nil {
      encoded.append(DumpNote(DumpNote.vmcoreinfo, type: 0, vmcoreinfo).encoded())
    }
    return encoded
  }
}
