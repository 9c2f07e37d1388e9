internal import CheckpointChain
internal import CheckpointCodec
package import CheckpointImage

/// The notes for the dump of a moment.
package enum DumpNotes {
  /// The VMCOREINFO text in the records of a machine; nil if there is none.
  package static func vmcoreinfo(in records: [MachineRecord]) -> [UInt8]? {
    notes(in: records).first { $0.name == DumpNote.vmcoreinfo }?.contents
  }

  /// The notes stored in the records of a machine, as far as they are understood.
  static func notes(in records: [MachineRecord]) -> [DumpNote] {
    records.compactMap { record in
      guard record.key.namespace == .dumpNote, let payload = record.payload else { return nil }
      return try? DumpNote(payload)
    }
  }

  /// Whether a note is one of an x86-64 machine: registers of that size, or a kernel's text with the physical base that
  /// only this architecture has.
  static func areOfX86(_ records: [MachineRecord]) -> Bool {
    notes(in: records).contains { note in
      if note.name == DumpNote.vmcoreinfo {
        return note.contents.firstRange(of: Array("NUMBER(phys_base)".utf8)) != nil
      }
      return VCPU.isStatus(note)
    }
  }

  /// The stored notes, if there are any that are understood; else one note for each processor in the records, and one
  /// with `vmcoreinfo`.
  package static func encoded(for records: [MachineRecord], vmcoreinfo: [UInt8]?)
    throws(CheckpointError)
    -> [[UInt8]]
  {
    var encoded = records.filter { $0.key.namespace == .dumpNote }.compactMap(\.payload)
      .filter { (try? DumpNote($0)) != nil }
    if encoded.isEmpty {
      let processors = try VCPU.all(in: records)
      encoded =
        (processors.map(\.statusNote) + processors.map(\.emulatorNote)).map { $0.encoded() }
    }
    if let vmcoreinfo {
      encoded.removeAll { (try? DumpNote($0))?.name == DumpNote.vmcoreinfo }
      encoded.append(DumpNote(DumpNote.vmcoreinfo, type: 0, vmcoreinfo).encoded())
    }
    return encoded
  }
}
